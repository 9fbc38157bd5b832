"""kiemke user: who may sign in."""

from urllib.parse import quote

import click

from kiemke.cli import words as vocabulary
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.commands.signing import read_password
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, TEXT, THING, words
from kiemke.cli.listing import DayType, Shape, Times, shape_options, show, time_options
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
    type=Choice("role"),
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


@user.command(
    "reset-totp",
    alias="bo-hai-buoc",
    help=N_("Take away the second step of a user whose phone and recovery codes are lost."),
    examples=("kiemke user reset-totp binh",),
)
@argument("name", metavar=N_("NAME"))
@pass_app
def reset_totp(app: App, name: str) -> None:
    """Reset a second step."""
    app.client.send("DELETE", f"/users/{quote(name, safe='')}/totp")
    app.say(_("{name} signs in by the password alone until enrolling anew.").format(name=name))


GRANTS = (
    Column(N_("No."), "id"),
    Column(N_("Name"), "user", flexible=True),
    Column(N_("Role"), "role", words("role")),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Approves"), "approves", TEXT),
    Column(N_("From"), "valid_from", DAY),
    Column(N_("Until before"), "valid_to", DAY),
    Column(N_("Paper"), "instrument", flexible=True, optional=1),
    Column(N_("Given by"), "recorded_by", optional=2),
)


@user.command(
    "grants",
    alias="quyen",
    help=N_("List the further rights of users, those to come too."),
    examples=("kiemke user grants", "kiemke nguoi-dung quyen --as-of 31/12/2025"),
)
@time_options
@shape_options
@pass_app
def grants(app: App, times: Times, shape: Shape) -> None:
    """List grants."""
    found = app.client.items("/grants", times.parameters(), shape.rows)
    show(app, _("Rights"), GRANTS, found, shape)


@user.command(
    "grant",
    alias="cap-quyen",
    help=N_("Give a user a further right, by a paper, never beyond what you administer."),
    examples=(
        "kiemke user grant binh --role it --unit TG-MK --paper 12/QĐ-UBND",
        "kiemke user grant binh --role auditor --approves --paper 12/QĐ-UBND",
    ),
)
@argument("name", metavar=N_("NAME"))
@option(
    "--role",
    type=Choice("role", most=4),
    required=True,
    help=N_("What they may do."),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"), help=N_("All they may see; else all."))
@option("--approves", "--duyet", "approves", is_flag=True, help=N_("Decides what waits there."))
@option("--from", "--tu", "start", type=DayType(), metavar=N_("DAY"), help=N_("Else today."))
@option("--to", "--den", "end", type=DayType(), metavar=N_("DAY"), help=N_("First day without it."))
@option("--paper", "--van-ban", "paper", required=True, metavar=N_("PAPER"),
        help=N_("Number of the decision."))  # fmt: skip
@pass_app
def grant(
    app: App,
    name: str,
    role: str,
    unit: str | None,
    approves: bool,
    start: str | None,
    end: str | None,
    paper: str,
) -> None:
    """Give a right."""
    body = {
        "user": name, "role": role, "unit": reference(app, UNIT, unit), "approves": approves,
        "valid_from": start, "valid_to": end, "instrument": paper,
    }  # fmt: skip
    app.client.send("POST", "/grants", body=body)
    app.say(_("Given: {name} ({role})").format(name=name, role=vocabulary.word("role", role)))


@user.command(
    "end-grant",
    alias="thoi-quyen",
    help=N_("End a further right on a day, by a paper."),
    examples=("kiemke user end-grant 7 --paper 15/QĐ-UBND",),
)
@argument("number", metavar=N_("NUMBER"))
@option("--day", "--ngay", "day", type=DayType(), metavar=N_("DAY"), help=N_("Else today."))
@option("--paper", "--van-ban", "paper", required=True, metavar=N_("PAPER"),
        help=N_("Number of the decision."))  # fmt: skip
@pass_app
def end_grant(app: App, number: str, day: str | None, paper: str) -> None:
    """End a right."""
    path = f"/grants/{quote(number, safe='')}/end"
    app.client.send("POST", path, body={"day": day, "instrument": paper})
    app.say(_("Ended: {number}").format(number=number))
