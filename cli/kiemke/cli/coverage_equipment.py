"""kiemke coverage equipment and desks: which units have what, and one-stop desks by their checklist."""

from typing import Any

import click

from kiemke.cli import figures
from kiemke.cli import words as vocabulary
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, THING, Kind, words
from kiemke.cli.listing import Shape, Times, search_options, shape_options, show, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Listing, Record, dig, number_at
from kiemke.cli.tables import Column
from kiemke.cli.words import word

ITEM = words("equipment_item")
SHARE = Kind(lambda value, zone: value if isinstance(value, str) else None, number=True)
ITEMS = (
    Column(N_("Item"), "item", ITEM),
    Column(N_("Units that\nhave it"), "shown", SHARE),
    Column(N_("Things"), "things", COUNT),
    Column(N_("Units without"), "without", THING, flexible=True, least=20),
)
# What fits beside a unit's name; the file has every item.
NARROW = ("pc", "printer", "copier", "scanner", "kiosk", "camera", "switch", "internet", "tslcd")
DESKS = (
    Column(N_("Desk"), "desk", THING, flexible=True, least=16),
    Column(N_("Unit"), "unit.code"),
    Column(N_("Item"), "item", ITEM, flexible=True, least=10),
    Column(N_("Re-\nquired"), "required", COUNT),
    Column(N_("Pre-\nsent"), "present", COUNT),
    Column(N_("Work-\ning"), "working", COUNT),
    Column(N_("Not\nknown"), "unknown", COUNT),
    Column(N_("Counted\nby hand"), "found", COUNT, optional=3),
    Column(N_("Finding"), "finding", words("desk_finding")),
    Column(N_("What to do"), "next", below=True),
)
DESKS_CSV = (
    Column(N_("Day"), "day", DAY),
    Column(N_("Unit"), "unit.code"),
    Column(N_("Name"), "unit.name"),
    Column(N_("Code"), "desk.code"),
    Column(N_("Desk"), "desk.name"),
    Column(N_("Item"), "item", ITEM),
    Column(N_("Re-\nquired"), "required", COUNT),
    Column(N_("Pre-\nsent"), "present", COUNT),
    Column(N_("Lacks"), "lack", COUNT),
    Column(N_("Work-\ning"), "working", COUNT),
    Column(N_("Silent"), "silent", COUNT),
    Column(N_("Not\nknown"), "unknown", COUNT),
    Column(N_("Counted\nby hand"), "found", COUNT),
    Column(N_("Finding"), "finding", words("desk_finding")),
    Column(N_("Source"), "source"),
)


def _of(row: Record) -> Record:
    """Return a row with "20/21 95,2 %" for its units."""
    having, units = number_at(row, "having"), number_at(row, "units")
    if having is None or units is None:
        return row
    percent = figures.share(having, units)
    pair = f"{figures.count(having)}/{figures.count(units)}"
    return {**row, "shown": f"{pair} {percent}" if percent else pair}


def _columns(shape: Shape) -> tuple[Column, ...]:
    names = vocabulary.codes("equipment_item") if shape.csv or shape.wide else NARROW
    heads = (Column(N_("Day"), "day", DAY), Column(N_("Code"), "unit.code")) if shape.csv else ()
    return (
        *heads,
        Column(N_("Unit"), "unit", THING, flexible=True, least=18),
        *(
            Column(vocabulary.VOCABULARIES["equipment_item"][name], f"counts.{name}", COUNT)
            for name in names
        ),
    )


@click.command(
    "equipment",
    cls=Command,
    alias="thiet-bi",
    help=N_(
        "How many units have at least one of each item, a unit with all below it. With --units: what "
        "each unit has."
    ),
    examples=(
        "kiemke coverage equipment --type xa,phuong",
        "kiemke ty-le thiet-bi --tung-don-vi --loai xa --ngay 30/06/2025 --csv",
    ),
)
@option("--units", "--tung-don-vi", "by_unit", is_flag=True, help=N_("One row a unit."))
@option(
    "--type",
    "--loai",
    "types",
    metavar=N_("TYPES"),
    help=N_("Only units of these types, with commas: xa,phuong,thi_tran."),
)
@search_options
@time_options
@shape_options
@pass_app
def equipment(
    app: App, by_unit: bool, types: str | None, unit: str | None, search: str | None,
    times: Times, shape: Shape,
) -> None:  # fmt: skip
    """Show which units have what."""
    asked: dict[str, Any] = {
        **times.parameters(), "unit": reference(app, UNIT, unit, times.parameters()), "q": search, "type": types,
    }  # fmt: skip
    title = _("Which units have which equipment")
    if by_unit:
        listing = app.client.items("/equipment/units", asked, shape.rows)
        show(app, title, _columns(shape), listing, shape)
        return
    listing = app.client.items("/equipment", asked, shape.rows)
    if not shape.json:
        listing = Listing(tuple(_of(row) for row in listing.items), listing.total)
    show(app, title, ITEMS, listing, shape)


@click.command(
    "desks",
    cls=Command,
    alias="mot-cua",
    help=N_(
        "One-stop desks against their checklist: required, on the book there and in use, seen working. "
        "A thing is a desk's when its place is the desk's code or name."
    ),
    examples=("kiemke coverage desks --finding lack", "kiemke ty-le mot-cua --don-vi TG --csv"),
)
@option(
    "--finding",
    "--ket-luan",
    "finding",
    type=Choice("desk_finding"),
    metavar=N_("FINDING"),
    help=N_("Only lines with this finding: lack, not_working, unknown, ok."),
)
@search_options
@time_options
@shape_options
@pass_app
def desks(
    app: App, finding: str | None, unit: str | None, search: str | None, times: Times, shape: Shape
) -> None:
    """List the lines of the desks."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
        "finding": finding,
    }
    listing = app.client.items("/desks", asked, shape.rows)
    show(app, _("One-stop desks"), DESKS_CSV if shape.csv else DESKS, listing, shape)
    if shape.json or shape.csv or finding or len(listing.items) != (listing.total or None):
        return
    complete = sum(1 for row in listing.items if dig(row, "finding") == "ok")
    app.say(
        _("{complete} of {all} lines {word}").format(
            complete=figures.count(complete),
            all=figures.count(len(listing.items)),
            word=word("desk_finding", "ok"),
        )
    )
