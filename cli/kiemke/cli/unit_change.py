"""kiemke unit merge, split, move, rename, reorganise, history: a decision, shown before it is done."""

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.acts import act, act_options, say_applied, say_number
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, THING, words
from kiemke.cli.listing import Times, json_option, time_options
from kiemke.cli.records import Record, dig, number_at, records_of
from kiemke.cli.spans import SPAN, WRITTEN
from kiemke.cli.tables import Column, as_json, draw
from kiemke.cli.unit_moves import MOST_SHOWN, tell_moves

TYPES = Choice("unit_type")
TAKES = (
    Column(N_("Stock-take"), "number"),
    Column(N_("Of"), "unit", THING, flexible=True),
    Column(N_("As of"), "day", DAY),
    Column(N_("Paper"), "instrument", flexible=True, optional=1),
    Column(N_("What becomes of it"), "effect", words("take_effect")),
    Column(N_("To"), "to", THING, flexible=True),
)
VERSIONS = (
    *SPAN,
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Belongs to"), "parent", THING, flexible=True),
    *WRITTEN,
)
SUCCESSIONS = (
    Column(N_("Since"), "day", DAY),
    Column(N_("From"), "unit", THING, flexible=True),
    Column(N_("To"), "successor", THING, flexible=True),
    Column(N_("How"), "kind", words("succession")),
    Column(N_("Paper"), "instrument", flexible=True),
)


def read_day(text: str) -> str:
    """Return dd/MM/yyyy or ISO as ISO. Raises KiemkeError."""
    day, _slash, rest = text.partition("/")
    month, _slash2, year = rest.partition("/")
    try:
        return (
            date(int(year), int(month), int(day)) if rest else date.fromisoformat(text)
        ).isoformat()
    except ValueError as err:
        raise KiemkeError(
            _("{value} is no day").format(value=text),
            where="--day",
            remedy=_("write it as 01/07/2025"),
        ) from err


def _decide(app: App, decision: dict[str, Any], apply: bool, json: bool) -> int:
    """Send a decision and show every consequence."""
    told = act(app, "POST", "/reorganisations", decision, apply=apply, json=json)
    if json:
        return 0
    app.heading(_("Decision {number}").format(number=decision["instrument"]))
    labels = {"created": _("made"), "ended": _("ended"), "changed": _("changed")}
    tell_moves(app, told, labels, _("carried over: {counts}"))
    _tell_takes(app, told, decision["day"])
    if ended := number_at(told, "targets_ended"):
        text = _("{count} coverage targets end with their units")
        app.say(text.format(count=figures.count(ended)))
    say_applied(app, told)
    say_number(app, told)
    return 0


def _tell_takes(app: App, told: object, day: str) -> None:
    """Name the open stock-takes of the units concerned, and the units that end uncounted."""
    takes = records_of(dig(told, "stock_takes"))
    if takes:
        app.say("", *draw(TAKES, takes, app.width(), app.zone).lines)
    without = records_of(dig(told, "uncounted"))
    if without:
        named = ", ".join(str(row.get("code")) for row in without[:MOST_SHOWN])
        text = _("no stock-take before they end ({count}): {units}")
        app.say(text.format(count=figures.count(len(without)), units=named))
        eve = DAY.render((date.fromisoformat(day) - timedelta(days=1)).isoformat(), app.zone)
        code = without[0].get("code")
        app.say(f"  → kiemke count open {code} --reason merger --day {eve} --paper …")


@click.command(
    "merge",
    cls=Command,
    alias="sap-nhap",
    help=N_("Merge units into one: an existing code, or a new one with --name and --type."),
    examples=("kiemke unit merge KN QT --into TL --day 01/07/2025 --paper 1669/NQ",),
)
@argument("units", nargs=-1, required=True, metavar=N_("UNIT..."))
@option(
    "--into", "--vao", "into", required=True, metavar=N_("CODE"), help=N_("The unit that receives.")
)
@option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("Name, if the unit is new."))
@option("--type", "--loai", "type_", metavar=N_("TYPE"), help=N_("Type, if the unit is new."))
@option(
    "--parent",
    "--under",
    "--thuoc",
    "parent",
    metavar=N_("CODE"),
    help=N_("What a new unit belongs to."),
)
@act_options
@pass_app
def merge(
    app: App, units: tuple[str, ...], into: str, name: str | None, type_: str | None,
    parent: str | None, day: str, paper: str, apply: bool, json: bool,
) -> int:  # fmt: skip
    """Merge units."""
    new = [{"code": into, "name": name, "type": type_ or "xa", "parent": parent}] if name else []
    changes = [{"kind": "merge", "units": list(units), "into": [into]}]
    decision = {"day": day, "instrument": paper, "new": new, "changes": changes}
    return _decide(app, decision, apply, json)


@click.command(
    "split",
    cls=Command,
    alias="chia-tach",
    help=N_(
        "Split a unit into existing units. What --give does not name waits in a unit of its own, "
        "chưa phân bổ, until it is assigned. A PC follows the person who holds it."
    ),
    examples=(
        "kiemke unit split TM --into A --into B --day 01/07/2025 --paper 1/NQ",
        "kiemke unit split TM-CPB --rest --into A --give official:CB01=A …",
    ),
)
@argument("unit", metavar=N_("UNIT"))
@option(
    "--into",
    "--vao",
    "into",
    multiple=True,
    required=True,
    metavar=N_("CODE"),
    help=N_("A unit that receives; give it twice or more."),
)
@option(
    "--give",
    "--giao",
    "give",
    multiple=True,
    metavar=N_("THING=CODE"),
    help=N_("What goes where, e.g. official:CB01=TM2."),
)
@option(
    "--rest",
    "--con-lai",
    "rest",
    is_flag=True,
    help=N_("The unit is one that waits to be assigned: take from it."),
)
@act_options
@pass_app
def split(
    app: App, unit: str, into: tuple[str, ...], give: tuple[str, ...], rest: bool, day: str,
    paper: str, apply: bool, json: bool,
) -> int:  # fmt: skip
    """Split a unit."""
    assign = {}
    for text in give:
        thing, _equals, code = text.rpartition("=")
        if not thing:
            raise KiemkeError(
                _("{value} names no unit").format(value=text),
                where="--give",
                remedy=_("write it as official:CB01=TM2"),
            )
        assign[thing] = code
    kind = "assign" if rest else "split"
    changes = [{"kind": kind, "units": [unit], "into": list(into), "assign": assign}]
    return _decide(app, {"day": day, "instrument": paper, "changes": changes}, apply, json)


@click.command(
    "move",
    cls=Command,
    alias="chuyen",
    help=N_("Put a unit under another one."),
    examples=("kiemke unit move TG-VP --under CUM-TG --day 01/07/2025 --paper 12/QĐ",),
)
@argument("unit", metavar=N_("UNIT"))
@option(
    "--under",
    "--parent",
    "--thuoc",
    "parent",
    required=True,
    metavar=N_("CODE"),
    help=N_("The unit above."),
)
@act_options
@pass_app
def move(app: App, unit: str, parent: str, day: str, paper: str, apply: bool, json: bool) -> int:
    """Move a unit."""
    changes = [{"kind": "move", "units": [unit], "parent": parent}]
    return _decide(app, {"day": day, "instrument": paper, "changes": changes}, apply, json)


@click.command(
    "rename",
    cls=Command,
    alias="doi-ten",
    help=N_("Give a unit another name, and if wanted another code or type."),
    examples=("kiemke unit rename TG-VP --name 'Văn phòng' --day 01/07/2025 --paper 12/QĐ",),
)
@argument("unit", metavar=N_("UNIT"))
@option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("The new name."))
@option("--code", "--ma", "code", metavar=N_("CODE"), help=N_("The new code."))
@option("--type", "--loai", "type_", metavar=N_("TYPE"), help=N_("The new type."))
@act_options
@pass_app
def rename(
    app: App, unit: str, name: str | None, code: str | None, type_: str | None, day: str,
    paper: str, apply: bool, json: bool,
) -> int:  # fmt: skip
    """Rename or retype a unit."""
    changes: list[Record] = []
    if name or code:
        changes.append({"kind": "rename", "units": [unit], "name": name, "code": code})
    if type_:
        changes.append({"kind": "retype", "units": [unit], "type": type_})
    return _decide(app, {"day": day, "instrument": paper, "changes": changes}, apply, json)


@click.command(
    "create",
    cls=Command,
    alias="tao",
    help=N_("Make a unit from a day on. Nothing is written without --apply."),
    examples=("kiemke unit create TL --name 'Xã Tiên Lãng' --type xa --under HP …",),
)
@argument("code", metavar=N_("CODE"))
@option("--name", "--ten", "name", required=True, metavar=N_("NAME"), help=N_("Its name."))
@option(
    "--type",
    "--loai",
    "type_",
    required=True,
    type=TYPES,
    metavar=N_("TYPE"),
    help=N_("Its type, e.g. xa, phong."),
)
@option("--under", "--parent", "--thuoc", "parent", metavar=N_("CODE"), help=N_("The unit above."))
@act_options
@pass_app
def create(
    app: App, code: str, name: str, type_: str, parent: str | None, day: str, paper: str,
    apply: bool, json: bool,
) -> int:  # fmt: skip
    """Make a unit."""
    new = [{"code": code, "name": name, "type": type_, "parent": parent}]
    return _decide(app, {"day": day, "instrument": paper, "new": new}, apply, json)


@click.command(
    "retype",
    cls=Command,
    alias="doi-loai",
    help=N_(
        "Give units another type: communes that become wards. Nothing is written without --apply."
    ),
    examples=("kiemke unit retype TL QT --type phuong --day 30/04/2026 --paper 30/NQ",),
)
@argument("units", nargs=-1, required=True, metavar=N_("UNIT..."))
@option(
    "--type",
    "--loai",
    "type_",
    required=True,
    type=TYPES,
    metavar=N_("TYPE"),
    help=N_("The new type."),
)
@act_options
@pass_app
def retype(
    app: App, units: tuple[str, ...], type_: str, day: str, paper: str, apply: bool, json: bool
) -> int:  # fmt: skip
    """Retype units."""
    changes = [{"kind": "retype", "units": list(units), "type": type_}]
    return _decide(app, {"day": day, "instrument": paper, "changes": changes}, apply, json)


@click.command(
    "end",
    cls=Command,
    alias="ket-thuc",
    help=N_("End units that hold nothing any more. Nothing is written without --apply."),
    examples=("kiemke unit end TG-DT --day 01/07/2025 --paper 12/QĐ",),
)
@argument("units", nargs=-1, required=True, metavar=N_("UNIT..."))
@act_options
@pass_app
def end(
    app: App, units: tuple[str, ...], day: str, paper: str, apply: bool, json: bool
) -> int:  # fmt: skip
    """End units."""
    changes = [{"kind": "end", "units": list(units)}]
    return _decide(app, {"day": day, "instrument": paper, "changes": changes}, apply, json)


@click.command(
    "reorganise",
    cls=Command,
    alias="sap-xep",
    help=N_("Do a whole decision that is written in a TOML file (see docs/reorganise.md)."),
    examples=(
        "kiemke unit reorganise nghi-quyet-1669.toml",
        "kiemke don-vi sap-xep nq.toml --apply",
    ),
)
@argument("file", metavar=N_("FILE"), type=click.Path(path_type=Path))
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def reorganise(app: App, file: Path, apply: bool, json: bool) -> int:
    """Apply a decision file."""
    try:
        decision = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise KiemkeError(
            _("the file cannot be read: {reason}").format(reason=err),
            where=str(file),
            remedy=_("see docs/reorganise.md for an example"),
        ) from err
    decision["day"] = str(decision.get("day", ""))
    decision.setdefault("instrument", "")
    return _decide(app, decision, apply, json)


@click.command(
    "history",
    cls=Command,
    alias="lich-su",
    help=N_("Show what a unit was, what it came of and what it became."),
    examples=("kiemke unit history TL",),
)
@argument("unit", metavar=N_("UNIT"))
@time_options
@json_option
@pass_app
def history(app: App, unit: str, times: Times, json: bool) -> None:
    """Show a unit's history."""
    told = app.client.get(f"/units/{quote(unit, safe='')}/history", times.parameters())
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(_("History of {unit}").format(unit=unit))
    versions = [v for v in records_of(dig(told, "versions")) if not v.get("voided")]
    app.say(*draw(VERSIONS, versions, app.width(), app.zone).lines)
    successions = records_of(dig(told, "successions"))
    if successions:
        app.say("", *draw(SUCCESSIONS, successions, app.width(), app.zone).lines)


COMMANDS = (create, rename, retype, move, merge, split, end, reorganise, history)
