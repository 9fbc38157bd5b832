"""kiemke approve: what waits for a second person, and that person's yes or no."""

from urllib.parse import quote

import click

from kiemke.cli import words as vocabulary
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, THING, words
from kiemke.cli.listing import Shape, json_option, search_options, shape_options, show
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Listing, text_at
from kiemke.cli.tables import Column, as_json

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("What"), "title", flexible=True),
    Column(N_("Of"), "named", flexible=True, least=20),
    Column(N_("Unit"), "unit", THING, flexible=True, optional=2),
    Column(N_("Paper"), "instrument", flexible=True),
    Column(N_("State"), "state", words("approval_state")),
    Column(N_("Asked by"), "asked_by", flexible=True),
    Column(N_("Asked at"), "asked_at", MOMENT, optional=1),
    Column(N_("Settled by"), "decided_by", optional=3),
    Column(N_("Answer"), "answer", flexible=True, optional=4),
)


@click.group(
    "approve",
    cls=Group,
    help=N_("What waits for a second person: who records a disposal does not approve it."),
    examples=("kiemke approve list", "kiemke duyet yes 12 --note “đã xem biên bản”"),
)
def approve() -> None:
    """Hold the verbs."""


@approve.command(
    "list",
    alias="danh-sach",
    help=N_("List what waits; --state shows what was settled too."),
    examples=("kiemke approve list", "kiemke duyet list --state approved --json"),
)
@option(
    "--state",
    type=Choice("approval_state"),
    default="waiting",
    help=N_("In which state."),
)
@search_options
@shape_options
@pass_app
def list_(app: App, state: str, unit: str | None, search: str | None, shape: Shape) -> None:
    """List approvals."""
    asked = {"state": state, "unit": reference(app, UNIT, unit), "q": search}
    found = app.client.items("/approvals", asked, shape.rows)
    if not shape.json:
        found = Listing(tuple({**row, "named": _named(row)} for row in found.items), found.total)
    show(app, _("Approvals"), COLUMNS, found, shape)


def _named(row: object) -> str:
    """Return the thing by its code and name; by its number where it is out of sight."""
    return text_at(row, "about") or text_at(row, "subject") or ""


def _settle(app: App, verb: str, number: str, note: str | None, json: bool) -> None:
    path = f"/approvals/{quote(number, safe='')}/{verb}"
    made = app.client.send("POST", path, body={"answer": note})
    if json:
        app.write(as_json(made) + "\n")
        return
    app.say(
        _("{number}: {state} ({title}, {subject})").format(
            number=number,
            state=vocabulary.word("approval_state", text_at(made, "state") or "?"),
            title=text_at(made, "title"),
            subject=_named(made),
        )
    )


NOTE = option("--note", "--ghi-chu", "note", metavar=N_("WORDS"), help=N_("Why."))


@approve.command(
    "yes",
    alias="dong-y",
    help=N_("Approve: the change is made now. Nobody approves his own."),
    examples=("kiemke approve yes 12", "kiemke duyet dong-y 12"),
)
@argument("number", metavar=N_("NUMBER"))
@NOTE
@json_option
@pass_app
def yes(app: App, number: str, note: str | None, json: bool) -> None:
    """Approve."""
    _settle(app, "yes", number, note, json)


@approve.command(
    "no",
    alias="tu-choi",
    help=N_("Refuse: the change is not made."),
    examples=("kiemke approve no 12 --note “thiếu biên bản”",),
)
@argument("number", metavar=N_("NUMBER"))
@NOTE
@json_option
@pass_app
def no(app: App, number: str, note: str | None, json: bool) -> None:
    """Refuse."""
    _settle(app, "no", number, note, json)


@approve.command(
    "withdraw",
    alias="rut-lai",
    help=N_("Take back what you asked for yourself."),
    examples=("kiemke approve withdraw 12",),
)
@argument("number", metavar=N_("NUMBER"))
@NOTE
@json_option
@pass_app
def withdraw(app: App, number: str, note: str | None, json: bool) -> None:
    """Withdraw."""
    _settle(app, "withdraw", number, note, json)
