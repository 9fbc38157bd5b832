"""kiemke device: network devices, their interfaces and how they are polled."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.device_acts import change, history, retire
from kiemke.cli.device_config import config, host_key
from kiemke.cli.device_identity import other, same, why
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import BITS, COUNT, MOMENT, REASON, TALLY, THING, TOTAL, words
from kiemke.cli.listing import (
    Shape,
    Times,
    json_option,
    left_out,
    search_options,
    shape_options,
    show,
    show_one,
    time_options,
)
from kiemke.cli.pick import DEVICE, SOURCE, UNIT, pick, reference
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.tables import Column, as_json, draw
from kiemke.wire.platforms import PLATFORMS

COLUMNS = (
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Kind"), "kind", words("thing"), optional=3),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Address"), "address", optional=1),
    Column(N_("Maker"), "vendor", optional=4),
    Column(N_("Model"), "model", optional=4),
    Column(N_("Outcome"), "outcome", words("outcome")),
    Column(N_("Answered"), "answered_at", MOMENT, optional=2),
)
FIELDS = (
    *COLUMNS,
    Column(N_("Why the poll failed"), "detail", REASON),
    Column(N_("Seen as"), "seen_kind", words("thing")),
    Column(N_("Version"), "version"),
    Column(N_("Serial number"), "serial"),
    Column(N_("Location it tells"), "seen_location"),
    Column(N_("Identified"), "identified_at", MOMENT),
    Column(N_("Says it is"), "sys_descr"),
    Column(N_("Calls itself"), "sys_name"),
    Column(N_("Polled by"), "collector", THING),
    Column(N_("SSH platform"), "ssh_platform"),
    Column(N_("Told by SSH"), "by_ssh"),
    Column(N_("Last visit by SSH"), "visit.visited_at", MOMENT),
    Column(N_("Outcome of the visit"), "visit.outcome", words("outcome")),
    Column(N_("Why it failed"), "visit.detail", REASON),
    Column(N_("Configuration read"), "visit.config_at", MOMENT),
    Column(N_("Account"), "visit.user"),
    Column(N_("May configure"), "visit.may_configure"),
)
PARTS = (
    Column(N_("Part"), "name", flexible=True),
    Column(N_("Description"), "description", flexible=True, optional=2),
    Column(N_("Model"), "model"),
    Column(N_("Serial number"), "serial"),
)
PORTS = (
    Column(N_("Interface (by SSH)"), "name", flexible=True),
    Column(N_("Label"), "description", flexible=True, optional=3),
    Column(N_("Status"), "status"),
    Column(N_("Speed"), "speed", optional=1),
    Column(N_("Duplex"), "duplex", optional=2),
)
INTERFACES = (
    Column(N_("Interface"), "name", flexible=True),
    Column(N_("Label"), "alias", flexible=True, optional=3),
    Column(N_("Up"), "oper_up"),
    Column(N_("Speed"), "speed_bits_per_second", BITS),
    Column(N_("Duplex"), "duplex", words("duplex"), optional=1),
    Column(N_("Since"), "state_at", MOMENT, optional=4),
    Column(N_("Changes"), "state_changes", COUNT, optional=5),
    Column(N_("Errors in"), "in_errors", TALLY, optional=2),
    Column(N_("Errors out"), "out_errors", TALLY, optional=2),
    Column(N_("Discards in"), "in_discards", TALLY, optional=6),
    Column(N_("Discards out"), "out_discards", TALLY, optional=6),
    Column(N_("Octets in"), "in_octets", TOTAL, optional=7),
    Column(N_("Octets out"), "out_octets", TOTAL, optional=7),
    Column(N_("Read at"), "read_at", MOMENT, optional=8),
)
_CELSIUS = "_celsius"
READINGS = (
    Column(N_("Reading"), "name", words("reading")),
    Column(N_("Part"), "label", flexible=True),
    Column(N_("Value"), "shown"),
    Column(N_("Read at"), "read_at", MOMENT, optional=2),
)
EVENTS = (
    Column(N_("It said at"), "at", MOMENT),
    Column(N_("What"), "name", flexible=True),
    Column(N_("Interface"), "told", flexible=True),
)


@click.group(
    "device",
    cls=Group,
    help=N_("Network devices and their interfaces."),
    examples=("kiemke device list", "kiemke thiet-bi show SW-01"),
)
def device() -> None:
    """Hold the verbs."""


for _verb in (change, retire, history, config, host_key, why, same, other):
    device.add_command(_verb)


@device.command(
    "list",
    alias="danh-sach",
    help=N_("List devices, with how the last poll went."),
    examples=("kiemke device list", "kiemke thiet-bi list --don-vi TG --csv"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List devices."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Devices"), COLUMNS, app.client.items("/devices", asked, shape.rows), shape)


@device.command(
    "show",
    alias="xem",
    help=N_("Show one device and its interfaces, by code, address or part of its name."),
    examples=("kiemke device show SW-01", "kiemke thiet-bi xem 10.1.0.2"),
)
@argument("ref", metavar=N_("DEVICE"))
@option("--wide", "--rong", "wide", is_flag=True, help=N_("Cut nothing, however wide."))
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, wide: bool, times: Times, json: bool) -> None:
    """Show a device."""
    found = pick(app, DEVICE, ref, times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Device"), FIELDS, found)
    interfaces = records_of(dig(found, "interfaces"))
    if interfaces:
        drawn = draw(INTERFACES, interfaces, None if wide else app.width(), app.zone)
        app.say("", *drawn.lines, *left_out(app, drawn))
    else:  # by SNMP nothing is known of them
        _draw(app, PORTS, records_of(dig(found, "visit.ports")))
    _draw(app, PARTS, records_of(dig(found, "visit.parts")))
    readings = [{**each, "shown": _reading(each)} for each in records_of(dig(found, "readings"))]
    if readings:
        app.say("", *draw(READINGS, readings, app.width(), app.zone).lines)
    events = [{**each, "told": _told(each)} for each in records_of(dig(found, "events"))]
    if events:
        app.say("", *draw(EVENTS, events, app.width(), app.zone).lines)


def _told(event: Mapping[str, object]) -> str:
    """Return what an event tells of a port."""
    detail = event.get("detail")
    if not isinstance(detail, dict):
        return ""
    told = (detail.get(key) for key in ("interface", "description", "index"))
    return next((str(each) for each in told if each), "")


def _draw(app: App, columns: tuple[Column, ...], rows: Sequence[Record]) -> None:
    if rows:
        app.say("", *draw(columns, rows, app.width(), app.zone).lines)


def _reading(reading: Mapping[str, object]) -> str | None:
    """Return a reading's value with the unit its name tells; states are yes and no."""
    name, value = str(reading.get("name")), reading.get("value")
    if not isinstance(value, int | float):
        return None
    if name.endswith("_ratio"):
        return figures.ratio(float(value))
    for end, unit in ((_CELSIUS, "°C"), ("_watts", "W"), ("_seconds", "s")):
        if name.endswith(end):
            return f"{figures.decimal(float(value), 1)} {unit}"
    if name == "printed_pages":
        return figures.count(int(value))
    return _("yes") if value else _("no")


@device.command(
    "set",
    alias="dat",
    help=N_("Say how a device is polled: address, port, the names of its secrets, the collector."),
    examples=(
        "kiemke device set SW-01 --address 10.1.0.2 --credential snmp-lan",
        "kiemke device set SW-01 --ssh-platform cisco_ios --ssh-credential ssh",
        "kiemke thiet-bi dat SW-01 --collector col-7f3a",
    ),
)
@argument("ref", metavar=N_("DEVICE"))
@option("--address", metavar=N_("ADDRESS"), help=N_("Its address on the network."))
@option("--port", type=click.IntRange(1, 65535), metavar=N_("PORT"), help=N_("Its SNMP port."))
@option("--credential", metavar=N_("NAME"), help=N_("The secret's name for SNMP."))
@option("--ssh-credential", metavar=N_("NAME"), help=N_("The secret's name for SSH."))
@option(
    "--ssh-platform",
    type=click.Choice(PLATFORMS),
    metavar=N_("NAME"),
    help=N_("Its platform, such as cisco_ios; a wrong one names all."),
)
@option("--ssh-port", type=click.IntRange(1, 65535), metavar=N_("PORT"), help=N_("Its SSH port."))
@option(
    "--visit-hours",
    type=click.IntRange(0, 8784),
    metavar=N_("HOURS"),
    help=N_("Visit it by SSH this often (24); 0 is never."),
)
@option("--collector", metavar=N_("SOURCE"), help=N_("The collector that polls it."))
@pass_app
def set_(
    app: App,
    ref: str,
    address: str | None,
    port: int | None,
    credential: str | None,
    ssh_credential: str | None,
    ssh_platform: str | None,
    ssh_port: int | None,
    visit_hours: int | None,
    collector: str | None,
) -> None:
    """Change how a device is polled."""
    asked = {
        "address": address,
        "port": port,
        "credential": credential,
        "ssh_credential": ssh_credential,
        "ssh_platform": ssh_platform,
        "ssh_port": ssh_port,
        "ssh_visit_hours": visit_hours,
        "collector": reference(app, SOURCE, collector),
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if not changes:
        raise click.UsageError(_("nothing to change; give --address, --port or another option"))
    code = text_at(pick(app, DEVICE, ref), "code") or ref
    found = app.client.send("PATCH", f"/devices/{quote(code, safe='')}", body=changes)
    app.say(
        _("{device}: {changes}").format(
            device=text_at(found, "name") or code,
            changes=", ".join(f"{name} = {value}" for name, value in changes.items()),
        )
    )
