"""kiemke user: who may sign in."""

import click

from kiemke.cli import words as vocabulary
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.commands.signing import read_password
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, THING, words
from kiemke.cli.listing import Shape, shape_options, show
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.tables import Column

COLUMNS = (
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Role"), "role", words("role")),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Since"), "created_at", MOMENT, optional=1),
    Column(N_("Disabled"), "disabled_at", MOMENT),
)


@click.group(
    "user",
    cls=Group,
    help=N_("Who may sign in."),
    examples=("kiemke user list", "kiemke nguoi-dung add binh --role it --unit TG"),
)
def user() -> None:
    """Hold the verbs."""


@user.command(
    "list",
    alias="danh-sach",
    help=N_("List users and their roles."),
    examples=("kiemke user list", "kiemke nguoi-dung list --json"),
)
@shape_options
@pass_app
def list_(app: App, shape: Shape) -> None:
    """List users."""
    show(app, _("Users"), COLUMNS, app.client.items("/users", None, shape.rows), shape)


@user.command(
    "add",
    alias="them",
    help=N_("Add a user. The password is asked for, or read from standard input."),
    examples=("kiemke user add binh --role it", "kiemke user add lan --role viewer --unit TG-VP"),
)
@argument("name", metavar=N_("NAME"))
@option(
    "--role",
    type=click.Choice(vocabulary.codes("role")),
    required=True,
    help=N_("What they may do."),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"), help=N_("All they may see; else all."))
@pass_app
def add(app: App, name: str, role: str, unit: str | None) -> None:
    """Add a user."""
    code = reference(app, UNIT, unit)
    body = {"name": name, "password": read_password(app, twice=True), "role": role}
    app.client.send("POST", "/users", body={**body, "unit": code} if code else body)
    app.say(_("Added: {name} ({role})").format(name=name, role=vocabulary.word("role", role)))
