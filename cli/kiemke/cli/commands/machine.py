"""kiemke machine: PCs as the agents see them."""

from collections.abc import Mapping

import click

from kiemke.cli import state_reasons
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import CLOCK, CODE, MOMENT, OCTETS, THING, words
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
from kiemke.cli.machine_identity import VERBS
from kiemke.cli.machine_import import VERBS as IMPORT_VERBS
from kiemke.cli.pick import MACHINE, UNIT, pick, reference
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.section_words import field_kind, field_word, section_word
from kiemke.cli.tables import Column, as_json, draw
from kiemke.cli.text import visible
from kiemke.cli.words import word

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("State"), "state", words("source_state"), optional=1),
    Column(N_("Memory"), "memory_bytes", OCTETS, optional=2),
    Column(N_("Asset"), "asset", CODE),
    Column(N_("Last heard"), "last_received_at", MOMENT),
)
FIELDS = (
    *COLUMNS,
    Column(N_("System"), "system"),
    Column(N_("Operating system"), "os"),
    Column(N_("Processor"), "cpu"),
    Column(N_("Serial number"), "serial"),
)
SOURCES = (
    Column(N_("Source"), "id", flexible=True),
    Column(N_("Kind"), "kind", words("source_kind")),
    Column(N_("State"), "state", words("source_state")),
    Column(N_("Last heard"), "last_received_at", MOMENT),
    Column(N_("Clock"), "clock_offset_seconds", CLOCK, optional=2),
    Column(N_("Because"), "state_reason", state_reasons.KIND, optional=1, flexible=True),
)
MOST_SECTION_ROWS = 10  # of a section nobody asked for by name: software has hundreds


@click.group(
    "machine",
    cls=Group,
    help=N_("PCs as the agents see them."),
    examples=("kiemke machine list", "kiemke may show TG-VP-07"),
)
def machine() -> None:
    """Hold the verbs."""


for verb in (*VERBS, *IMPORT_VERBS):
    machine.add_command(verb)


@machine.command(
    "list",
    alias="danh-sach",
    help=N_("List machines, with when each was last heard."),
    examples=("kiemke machine list", "kiemke may list --don-vi TG-VP --json"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List machines."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Machines"), COLUMNS, app.client.items("/machines", asked, shape.rows), shape)


@machine.command(
    "show",
    alias="xem",
    help=N_("Show one machine and its hardware, by name, serial, asset or number."),
    examples=("kiemke machine show TG-VP-07", "kiemke may xem 12 --section software"),
)
@argument("ref", metavar=N_("MACHINE"))
@option(
    "--section",
    metavar=N_("SECTION"),
    help=N_("Only this section of the hardware, with all its rows: disks, software, ..."),
)
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, section: str | None, times: Times, json: bool) -> None:
    """Show a machine."""
    found = pick(app, MACHINE, ref, times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Machine"), FIELDS, found)
    sources = records_of(dig(found, "sources"))
    if sources:
        app.say("", *draw(SOURCES, sources, app.width(), app.zone).lines)
    sections = dig(found, "sections")
    if isinstance(sections, Mapping):
        for name, content in sections.items():
            if section is None or section == name:
                _show_section(app, str(name), content, whole=section is not None)


def _show_section(app: App, name: str, content: object, *, whole: bool) -> None:
    """Print one section: one row as fields, several as a table of what the first row has."""
    rows = _rows_of(content)
    title = section_word(name)
    app.say("")
    status = text_at(content, "status")
    if status not in (None, "ok"):
        detail = text_at(content, "detail")
        told = word("section_status", status)
        app.say(f"{title}: " + " – ".join(part for part in (told, detail) if part))
        if not rows:
            return
    if not rows:
        app.say(f"{title}: " + _("nothing known"))
        return
    shown = rows if whole or len(rows) <= MOST_SECTION_ROWS else rows[:MOST_SECTION_ROWS]
    fields = list(dict.fromkeys(str(field) for row in shown for field in row))
    # Keyed by position: a field's own name may hold a dot, which a path would split.
    placed = [{str(i): row.get(field) for i, field in enumerate(fields)} for row in shown]
    named = [(visible(field_word(field)), field_kind(field)) for field in fields]
    if len(rows) == 1:
        alone = [Column(name, str(i), kind) for i, (name, kind) in enumerate(named)]
        show_one(app, title, alone, placed[0])
        return
    app.heading(f"{title} ({len(rows)})")
    columns = [
        Column(name, str(i), kind, flexible=True, optional=i)
        for i, (name, kind) in enumerate(named)
    ]
    app.say(*draw(columns, placed, app.width(), app.zone).lines)
    if len(shown) < len(rows):
        app.say(_("… and {count} more").format(count=len(rows) - len(shown)))


def _rows_of(content: object) -> tuple[Record, ...]:
    """A section's rows, whether it came bare or with its status and token around it."""
    if isinstance(content, Mapping):
        inner = content.get("rows")
        return records_of(inner) if isinstance(inner, list) else (content,)
    return records_of(content)
