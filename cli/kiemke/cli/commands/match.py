"""kiemke match: which seen machine is which asset on the book."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.keys import single_keys
from kiemke.cli.kinds import CODE, MOMENT, THING, words
from kiemke.cli.listing import (
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.match_words import evidence, heading_of, lines_of
from kiemke.cli.pick import ASSET, DEVICE, MACHINE, UNIT, pick, reference
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.tables import Column, as_json

MATCHES = (
    Column(N_("No."), "id"),
    Column(N_("Asset"), "asset", CODE),
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("Decided by"), "decided_by", words("decided_by")),
    Column(N_("Because"), "reasons", evidence, flexible=True, optional=2),
    Column(N_("Since"), "recorded_at", MOMENT, optional=1),
)
UNMATCHED = (
    Column(N_("No."), "machine.id"),
    Column(N_("Machine"), "machine.hostname", flexible=True),
    Column(N_("Unit"), "machine.unit", THING, flexible=True),
    Column(N_("May be"), "first", CODE, flexible=True, least=12),
    Column(N_("Sureness"), "confidence"),
)


@click.group(
    "match",
    cls=Group,
    invoke_without_command=True,
    help=N_(
        "Walk through the machines on no book and decide which asset each one is, with one key. "
        "Every decision can be undone."
    ),
    examples=("kiemke match", "kiemke ghep --don-vi TG-VP", "kiemke match list --json"),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"), help=N_("Only this unit and below."))
@click.pass_context
def match(ctx: click.Context, unit: str | None) -> None:
    """Walk, when no verb was given."""
    if ctx.invoked_subcommand is None:
        app = ctx.find_object(App)
        if app is None:
            raise RuntimeError("the root command makes the App")
        walk(app, reference(app, UNIT, unit))


@dataclass(slots=True)
class _Walk:
    """Where a walk stands: the machines, the place among them, the decisions that can be undone."""

    items: list[Record]
    at: int = 0
    done: list[tuple[int, str]] = field(default_factory=list)


def walk(app: App, unit: str | None) -> None:
    """Ask about one machine after the other. Raises KiemkeError without a terminal."""
    if not app.interactive():
        raise KiemkeError(
            _("nobody can be asked here"),
            where="kiemke match",
            remedy=_("use “kiemke match unmatched --json” and “kiemke match accept MACHINE ASSET”"),
        )
    found = app.client.items("/matches/unmatched", {"unit": unit}, 0)
    way = _Walk(list(found.items))
    with single_keys() as key:
        while way.at < len(way.items):
            item = way.items[way.at]
            app.say("", heading_of(app, item, way.at + 1, len(way.items)), *lines_of(item))
            if not _ask(app, way, item, key):
                break
    app.say("", _("{count} decided.").format(count=len(way.done)))


def _ask(app: App, way: _Walk, item: Record, read_key: Callable[[], str]) -> bool:
    """Take one key; return False to end. A key that means nothing asks again."""
    candidates = records_of(dig(item, "candidates"))
    numbers = "".join(str(n) for n in range(1, len(candidates) + 1))
    choices = _("[{numbers}] it is this one   ").format(numbers=numbers) if numbers else ""
    app.say(choices + _("[b] book it as a draft   [s] skip   [u] undo the last   [q] end"))
    while True:
        key = read_key()
        if key and key in numbers:
            code = text_at(candidates[int(key) - 1], "asset.code") or ""
            _accept(app, way, item, code)
            return True
        if key == "b":
            _draft(app, way, item)
            return True
        if key == "s":
            way.at += 1
            return True
        if key == "u" and way.done:
            place, number = way.done.pop()
            app.client.send("DELETE", f"/matches/{quote(number, safe='')}")
            way.at = place
            app.say(_("Undone."))
            return True
        if key in ("q", "\x04", "\x1b", ""):
            return False


def _accept(app: App, way: _Walk, item: Record, code: str) -> None:
    machine = text_at(item, "machine.id") or ""
    made = app.client.send("POST", "/matches", body={"machine": machine, "asset": code})
    way.done.append((way.at, text_at(made, "id") or ""))
    way.at += 1
    app.say(_("Matched with {code}.").format(code=code))


def _draft(app: App, way: _Walk, item: Record) -> None:
    machine = text_at(item, "machine.id") or ""
    made = app.client.send("POST", "/assets", body={"machine": machine})
    way.at += 1
    app.say(_("Booked as a draft: {code} {name}").format(
        code=text_at(made, "code"), name=text_at(made, "after.name")
    ))  # fmt: skip


@match.command(
    "list",
    alias="danh-sach",
    help=N_("List matches, newest first, with what decided each."),
    examples=("kiemke match list", "kiemke ghep list --don-vi TG-VP --json"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List matches."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Matches"), MATCHES, app.client.items("/matches", asked, shape.rows), shape)


@match.command(
    "unmatched",
    alias="chua-ghep",
    help=N_("List machines on no book with the assets they may be."),
    examples=("kiemke match unmatched", "kiemke ghep chua-ghep --json"),
)
@search_options
@time_options
@shape_options
@pass_app
def unmatched(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List the unmatched."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    found = app.client.items("/matches/unmatched", asked, shape.rows)
    if not shape.json:
        found = type(found)(tuple(_flat(item) for item in found.items), found.total)
    show(app, _("Machines on no book"), UNMATCHED, found, shape)


DEVICES = (
    Column(N_("Device"), "device"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Serial number"), "serial", optional=1),
    Column(N_("May be"), "first", CODE, flexible=True, least=12),
    Column(N_("Sureness"), "confidence"),
)


@match.command(
    "devices",
    alias="thiet-bi",
    help=N_("List watched devices on no book with the assets they may be."),
    examples=("kiemke match devices", "kiemke ghep thiet-bi --don-vi TG --json"),
)
@search_options
@time_options
@shape_options
@pass_app
def devices(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List the devices on no book."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    found = app.client.items("/matches/unmatched-devices", asked, shape.rows)
    if not shape.json:
        found = type(found)(tuple(_flat(item) for item in found.items), found.total)
    show(app, _("Devices on no book"), DEVICES, found, shape)


def _flat(item: Record) -> Record:
    """Put the likeliest candidate beside the machine."""
    first = next(iter(records_of(dig(item, "candidates"))), None)
    likeliest: Mapping[str, object] = first or {}
    return {**item, "first": likeliest.get("asset"), "confidence": likeliest.get("confidence")}


@match.command(
    "accept",
    alias="nhan",
    help=N_("Decide that a machine is an asset."),
    examples=("kiemke match accept TG-VP-07 PC-0042", "kiemke ghep nhan 12 TEM-0042"),
)
@argument("machine", metavar=N_("MACHINE"))
@argument("asset", metavar=N_("ASSET"))
@json_option
@pass_app
def accept(app: App, machine: str, asset: str, json: bool) -> None:
    """Accept one."""
    body = {
        "machine": text_at(pick(app, MACHINE, machine), "id"),
        "asset": reference(app, ASSET, asset),
    }
    made = app.client.send("POST", "/matches", body=body)
    if json:
        app.write(as_json(made) + "\n")
        return
    number, code = text_at(made, "id"), text_at(made, "asset.code")
    app.say(_("Matched with {code}.").format(code=code))
    app.say(_("Undo it with: kiemke match undo {number}").format(number=number))


@match.command(
    "undo",
    alias="go",
    help=N_("Undo a match by its number: all stands as before it."),
    examples=("kiemke match undo 17", "kiemke ghep go 17"),
)
@argument("number", metavar=N_("NUMBER"))
@pass_app
def undo(app: App, number: str) -> None:
    """Undo one."""
    app.client.send("DELETE", f"/matches/{quote(number, safe='')}")
    app.say(_("Undone."))


@match.command(
    "accept-device",
    alias="nhan-thiet-bi",
    help=N_("Decide that a watched network device is an asset."),
    examples=("kiemke match accept-device SW-01 TS-0100",),
)
@argument("device", metavar=N_("DEVICE"))
@argument("asset", metavar=N_("ASSET"))
@json_option
@pass_app
def accept_device(app: App, device: str, asset: str, json: bool) -> None:
    """Accept a device."""
    code = reference(app, DEVICE, device) or ""
    made = app.client.send(
        "POST",
        f"/devices/{quote(code, safe='')}/match",
        body={"asset": reference(app, ASSET, asset)},
    )
    if json:
        app.write(as_json(made) + "\n")
        return
    app.say(_("Matched with {code}.").format(code=text_at(made, "asset.code")))


@match.command(
    "undo-device",
    alias="go-thiet-bi",
    help=N_("Undo the match of a network device."),
    examples=("kiemke match undo-device SW-01",),
)
@argument("device", metavar=N_("DEVICE"))
@pass_app
def undo_device(app: App, device: str) -> None:
    """Undo a device's match."""
    code = reference(app, DEVICE, device) or ""
    app.client.send("DELETE", f"/devices/{quote(code, safe='')}/match")
    app.say(_("Undone."))
