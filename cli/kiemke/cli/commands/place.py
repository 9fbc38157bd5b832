"""kiemke place: one-stop desks, meeting rooms, server rooms and stores of units."""

from typing import Any
from urllib.parse import quote

import click

from kiemke.cli.acts import act, act_options, say_change
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
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
from kiemke.cli.pick import PLACE, UNIT, pick, reference
from kiemke.cli.tables import Column, as_json

WHAT = (
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Kind"), "kind", words("place_kind")),
    Column(N_("Unit"), "unit", THING, flexible=True),
)
COLUMNS = (*WHAT, Column(N_("Since"), "valid_from", DAY, optional=1))
FIELDS = (*COLUMNS, Column(N_("Until"), "valid_to", DAY), Column(N_("Paper"), "instrument"))
KINDS = Choice("place_kind")


@click.group(
    "place",
    cls=Group,
    help=N_("Places of units: one-stop desks, meeting rooms, server rooms, stores."),
    examples=("kiemke place list --unit TG-XA", "kiemke noi list --ngay 30/06/2025"),
)
def place() -> None:
    """Hold the verbs."""


@place.command(
    "list",
    alias="danh-sach",
    help=N_("List places."),
    examples=("kiemke place list", "kiemke noi list --tim 'mot cua'"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List places."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Places"), COLUMNS, app.client.items("/places", asked, shape.rows), shape)


@place.command(
    "show",
    alias="xem",
    help=N_("Show one place, by code or part of its name."),
    examples=("kiemke place show TL-MC", "kiemke noi xem 'mot cua'"),
)
@argument("ref", metavar=N_("PLACE"))
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, times: Times, json: bool) -> None:
    """Show a place."""
    found = pick(app, PLACE, ref, times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Place"), FIELDS, found)


def _decide(
    app: App, method: str, path: str, body: dict[str, Any], apply: bool, json: bool
) -> None:
    told = act(app, method, path, body, apply=apply, json=json)
    if not json:
        say_change(app, _("Place"), WHAT, told)


@place.command(
    "create",
    alias="tao",
    help=N_("Make a place of a unit from a day on. Nothing is written without --apply."),
    examples=("kiemke place create TL-MC --name 'Một cửa' --unit TL --day … --paper 5/QĐ",),
)
@argument("code", metavar=N_("CODE"))
@option("--name", "--ten", "name", required=True, metavar=N_("NAME"), help=N_("Its name."))
@option(
    "--kind",
    "--loai",
    "kind",
    type=KINDS,
    default="one_stop_desk",
    metavar=N_("KIND"),
    help=N_("What it is, e.g. one_stop_desk, meeting_room."),
)
@option(
    "--unit",
    "--don-vi",
    "unit",
    required=True,
    metavar=N_("UNIT"),
    help=N_("The unit it belongs to."),
)
@act_options
@pass_app
def create(
    app: App, code: str, name: str, kind: str, unit: str, day: str, paper: str, apply: bool,
    json: bool,
) -> None:  # fmt: skip
    """Make a place."""
    body = {"code": code, "name": name, "kind": kind, "unit": unit}
    _decide(app, "POST", "/places", {**body, "day": day, "instrument": paper}, apply, json)


@place.command(
    "change",
    alias="sua",
    help=N_(
        "Give a place another name, code, kind or unit from a day on. Nothing is written without "
        "--apply."
    ),
    examples=("kiemke place change TL-MC --unit TM --day 01/07/2025 --paper 5/QĐ --apply",),
)
@argument("ref", metavar=N_("PLACE"))
@option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("The new name."))
@option("--code", "--ma", "code", metavar=N_("CODE"), help=N_("The new code."))
@option(
    "--kind",
    "--loai",
    "kind",
    type=KINDS,
    metavar=N_("KIND"),
    help=N_("What it is, e.g. one_stop_desk, meeting_room."),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"), help=N_("The unit it belongs to."))
@act_options
@pass_app
def change(
    app: App, ref: str, name: str | None, code: str | None, kind: str | None, unit: str | None,
    day: str, paper: str, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Change a place."""
    given = {"name": name, "code": code, "kind": kind, "unit": unit}
    body: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if not body:
        raise click.UsageError(_("say what changes"))
    body |= {"day": day, "instrument": paper}
    _decide(app, "PATCH", f"/places/{quote(ref, safe='')}", body, apply, json)


@place.command(
    "end",
    alias="ket-thuc",
    help=N_("End a place on a day. Nothing is written without --apply."),
    examples=("kiemke place end TL-MC --day 01/07/2025 --paper 5/QĐ --apply",),
)
@argument("ref", metavar=N_("PLACE"))
@act_options
@pass_app
def end(app: App, ref: str, day: str, paper: str, apply: bool, json: bool) -> None:
    """End a place."""
    body = {"day": day, "instrument": paper, "end": True}
    _decide(app, "PATCH", f"/places/{quote(ref, safe='')}", body, apply, json)
