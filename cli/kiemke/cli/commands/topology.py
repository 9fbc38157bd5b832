"""kiemke topology and kiemke where: what is connected to what, and where something is plugged in."""

from pathlib import Path

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import ServerProblem
from kiemke.cli.files import refuse_existing, write_whole
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import BITS, MOMENT, THING, words
from kiemke.cli.listing import Times, json_option, time_options
from kiemke.cli.pick import MACHINE, NOT_EXACT, UNIT, pick, reference
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.tables import Column, as_json, draw
from kiemke.cli.topology_picture import dot_of, far_name, svg_of

CABLES = (
    Column(N_("Device"), "near.device"),
    Column(N_("Port"), "near.port", flexible=True),
    Column(N_("Other end"), "far_name", flexible=True),
    Column(N_("Its port"), "far.port", flexible=True),
    Column(N_("Speed"), "near.speed_bits_per_second", BITS, optional=2),
    Column(N_("Known by"), "protocols", optional=3),
    Column(N_("Since"), "since", MOMENT, optional=4),
    Column(N_("Trouble"), "troubles", words("finding"), optional=1),
)
PLACES = (
    Column(N_("Switch"), "device"),
    Column(N_("Port"), "port", flexible=True),
    Column(N_("VLAN"), "vlan", optional=2),
    Column(N_("Kind of port"), "role", words("port_role"), optional=1),
    Column(N_("From"), "since", MOMENT),
    Column(N_("Last seen"), "seen_at", MOMENT, optional=3),
    Column(N_("Until"), "until", MOMENT),
    Column(N_("With it"), "with", THING, flexible=True, optional=4),
    Column(N_("MAC"), "mac", optional=5),
)


@click.command(
    "topology",
    cls=Command,
    help=N_("Show which device is connected to which, or draw it."),
    examples=(
        "kiemke topology",
        "kiemke so-do-mang --don-vi TG-XA --svg xa.svg",
        "kiemke topology --dot net.dot --as-of 30/06/2026",
    ),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"),
        help=N_("Only this unit and those below it."))  # fmt: skip
@option("--dot", type=click.Path(dir_okay=False, path_type=Path), metavar=N_("FILE"),
        help=N_("Write it as Graphviz text."))  # fmt: skip
@option("--svg", type=click.Path(dir_okay=False, path_type=Path), metavar=N_("FILE"),
        help=N_("Draw it as a picture (needs Graphviz)."))  # fmt: skip
@option("--force", is_flag=True, help=N_("Replace a file that is there."))
@time_options
@json_option
@pass_app
def topology(
    app: App, unit: str | None, dot: Path | None, svg: Path | None, force: bool, times: Times,
    json: bool,
) -> None:  # fmt: skip
    """Show or draw the topology."""
    for path in (dot, svg):
        if path is not None:
            refuse_existing(path, force)
    asked = {**times.parameters(), "unit": reference(app, UNIT, unit, times.parameters())}
    found = app.client.get("/topology", asked)
    if json:
        app.write(as_json(found) + "\n")
        return
    title = _("Network") if unit is None else _("Network of {unit}").format(unit=unit)
    text = dot_of(found, title)
    for path, content in ((svg, svg_of(text) if svg else b""), (dot, text.encode())):
        if path is not None:
            written = write_whole(path, [content])
            app.say(_("{path}: {size} bytes written").format(path=path, size=written.size_bytes))
    if dot is None and svg is None:
        _show(app, title, found)


def _show(app: App, title: str, found: object) -> None:
    app.heading(title)
    rows = [
        {**cable, "far_name": far_name(dig(cable, "far"))}
        for cable in records_of(dig(found, "cables"))
    ]
    if not rows:
        app.say(_("No device tells of a neighbour: LLDP is off, or nobody polls them yet."))
        return
    app.say(*draw(CABLES, rows, app.width(), app.zone).lines)


@click.command(
    "where",
    cls=Command,
    help=N_("Tell on which switch port a PC, a device, a MAC or an address is, and was."),
    examples=(
        "kiemke where PC-VP-01",
        "kiemke o-dau 0c:5f:4c:5a:00:01",
        "kiemke where 10.5.9.7 --as-of 30/06/2026",
    ),
)
@argument("ref", metavar=N_("WHAT"))
@time_options
@json_option
@pass_app
def where(app: App, ref: str, times: Times, json: bool) -> None:
    """Tell where something is plugged in."""
    found = _ask(app, ref, times)
    if json:
        app.write(as_json(found) + "\n")
        return
    told = [text_at(found, "name") or text_at(found, "ref") or "", *_list(found, "macs")]
    told += _list(found, "addresses")
    app.heading(" · ".join(part for part in dict.fromkeys(told) if part))
    rows = [_with(place) for place in records_of(dig(found, "places"))]
    if not rows:
        app.say(_("No switch that is polled has seen it on a port of its own."))
        return
    app.say(*draw(PLACES, rows, app.width(), app.zone).lines)
    if any(dig(row, "dock") for row in rows):
        app.say(_("A dock or a plugged adapter: this is where the dock is, whoever uses it."))


def _ask(app: App, ref: str, times: Times) -> Record:
    try:
        return app.client.one("whereabouts", ref, times.parameters())
    except ServerProblem as problem:
        if problem.status not in NOT_EXACT:
            raise
    machine = pick(app, MACHINE, ref, times.parameters())
    return app.client.one("whereabouts", text_at(machine, "id") or ref, times.parameters())


def _list(found: Record, name: str) -> list[str]:
    values = dig(found, name)
    return [str(each) for each in values] if isinstance(values, list) else []


def _with(place: Record) -> Record:
    others = records_of(dig(place, "beside"))
    names = [text_at(each, "name") or text_at(each, "mac") or "" for each in others]
    return {**place, "with": ", ".join(names)}
