"""kiemke software: the programs on the machines, under one name each whatever their version."""

from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, THING
from kiemke.cli.listing import (
    Shape,
    Times,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import UNIT, Noun, pick, reference
from kiemke.cli.records import text_at
from kiemke.cli.tables import Column

SOFTWARE = Noun("software", ("plain_name",), ("id", "plain_name", "plain_publisher"), ("id",))
COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Program"), "plain_name", flexible=True),
    Column(N_("Publisher"), "plain_publisher", flexible=True),
    Column(N_("Versions"), "versions", COUNT),
    Column(N_("Machines"), "machines", COUNT),
)
MACHINES = (
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Name"), "name", flexible=True, optional=1),
    Column(N_("Version"), "version", flexible=True),
    Column(N_("Installed on"), "installed_on", DAY),
    Column(N_("Account"), "account", optional=2),
)


@click.group(
    "software",
    cls=Group,
    help=N_("Programs on the machines, under one name each whatever their version."),
    examples=("kiemke software list --search teamviewer", "kiemke phan-mem may unikey"),
)
def software() -> None:
    """Hold the verbs."""


@software.command(
    "list",
    alias="danh-sach",
    help=N_("List programs, with how many machines have each now."),
    examples=("kiemke software list --unit TG-XA", "kiemke phan-mem list --tim unikey --json"),
)
@option("--parts", is_flag=True, help=N_("Also components and updates of programs."))
@search_options
@time_options
@shape_options
@pass_app
def list_(
    app: App, parts: bool, unit: str | None, search: str | None, times: Times, shape: Shape
) -> None:
    """List programs."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    listing = app.client.items("/software", {**asked, "parts": str(parts).lower()}, shape.rows)
    show(app, _("Software"), COLUMNS, listing, shape)


@software.command(
    "machines",
    alias="may",
    help=N_("List the machines that have a program, by its number or a part of its name."),
    examples=("kiemke software machines unikey", "kiemke phan-mem may teamviewer --don-vi TG-XA"),
)
@argument("ref", metavar=N_("PROGRAM"))
@search_options
@time_options
@shape_options
@pass_app
def machines(
    app: App, ref: str, unit: str | None, search: str | None, times: Times, shape: Shape
) -> None:
    """List the machines of a program."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    number = text_at(pick(app, SOFTWARE, ref, times.parameters()), "id") or ref
    path = f"/software/{quote(number, safe='')}/machines"
    show(app, _("Machines"), MACHINES, app.client.items(path, asked, shape.rows), shape)
