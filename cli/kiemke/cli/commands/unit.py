"""kiemke unit: departments, communes, districts."""

import click

from kiemke.cli import unit_change, unit_undo
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, THING, words
from kiemke.cli.listing import (
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    show_one,
    time_options,
)
from kiemke.cli.pick import UNIT, pick, reference
from kiemke.cli.tables import Column, as_json

COLUMNS = (
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Type"), "type", words("unit_type")),
    Column(N_("Belongs to"), "parent", THING, flexible=True, optional=1),
    Column(N_("Since"), "valid_from", DAY, optional=2),
)
FIELDS = (*COLUMNS, Column(N_("Until"), "valid_to", DAY))


@click.group(
    "unit",
    cls=Group,
    help=N_("Units: departments, communes, districts."),
    examples=("kiemke unit list", "kiemke don-vi list --ngay 30/06/2025"),
)
def unit() -> None:
    """Hold the verbs."""


@unit.command(
    "list",
    alias="danh-sach",
    help=N_("List units. With --ngay, as they were on that day."),
    examples=("kiemke unit list", "kiemke unit list --don-vi TG --csv"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List units."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Units"), COLUMNS, app.client.items("/units", asked, shape.rows), shape)


@unit.command(
    "show",
    alias="xem",
    help=N_("Show one unit, by code or part of its name."),
    examples=("kiemke unit show TG-VP", "kiemke don-vi xem 'tu phap'"),
)
@argument("ref", metavar=N_("UNIT"))
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, times: Times, json: bool) -> None:
    """Show a unit."""
    found = pick(app, UNIT, ref, times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Unit"), FIELDS, found)


for change in (*unit_change.COMMANDS, *unit_undo.COMMANDS):
    unit.add_command(change)
