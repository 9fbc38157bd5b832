"""kiemke coverage: who has a PC, by unit against its target, and the persons behind each figure."""

from collections import Counter
from collections.abc import Mapping, Sequence

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, Group, option
from kiemke.cli.coverage_diff import TreeDay, diff
from kiemke.cli.coverage_equipment import desks, equipment
from kiemke.cli.coverage_fit import fit
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, THING, TIMES, Kind, words
from kiemke.cli.listing import (
    Shape,
    Times,
    items_where,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Listing, Record, dig, number_at, text_at
from kiemke.cli.tables import Column

WHOSE = words("official_kind")
SHARE = Kind(lambda value, zone: value if isinstance(value, str) else None, number=True)
COLUMNS = (
    Column(N_("Unit"), "label", flexible=True, least=24, wraps=True),
    Column(N_("With a PC\n(book)"), "shown.declared", SHARE),
    Column(N_("Tar-\nget"), "shown.target", SHARE),
    Column(N_("Verified"), "shown.verified", SHARE),
    Column(N_("Si-\nlent"), "figures.silent", COUNT),
    Column(N_("Contra-\ndicted"), "figures.contradicted", COUNT),
    Column(N_("Un-\nmatched"), "figures.unmatched", COUNT),
    Column(N_("PCs per\nperson"), "ratio", TIMES),
    Column(N_("Counted\nby hand"), "figures.counted", COUNT, optional=3),
    Column(N_("Shared\nonly"), "figures.shared_access", COUNT, optional=4),
    Column(N_("Left\nout"), "figures.excluded", COUNT, optional=5),
    Column(N_("Evidence age\n(work. days)"), "evidence_age_working_days", COUNT, optional=6),
    Column(N_("Whose"), "kinds", WHOSE, optional=7),
)
CSV_COLUMNS = (
    Column(N_("Code"), "unit.code"),
    Column(N_("Unit"), "unit.name"),
    Column(N_("Day"), "day", DAY),
    Column(N_("Whose"), "kinds", WHOSE),
    Column(N_("People"), "figures.officials", COUNT),
    Column(N_("With a PC\n(book)"), "figures.declared", COUNT),
    Column(N_("Verified"), "figures.verified", COUNT),
    Column(N_("Counted\nby hand"), "figures.counted", COUNT),
    Column(N_("Silent"), "figures.silent", COUNT),
    Column(N_("Contradicted"), "figures.contradicted", COUNT),
    Column(N_("Unmatched"), "figures.unmatched", COUNT),
    Column(N_("No PC"), "figures.no_pc", COUNT),
    Column(N_("Left\nout"), "figures.excluded", COUNT),
    Column(N_("PCs"), "figures.pcs", COUNT),
    Column(N_("PCs per\nperson"), "ratio", TIMES),
    Column(N_("Target"), "shown.target", SHARE),
    Column(N_("Evidence age\n(work. days)"), "evidence_age_working_days", COUNT),
)
WHO = (
    Column(N_("Official"), "official", THING, flexible=True, least=14),
    Column(N_("Unit"), "unit.code"),
    Column(N_("State"), "state", words("coverage_state")),
    Column(N_("Asset"), "asset.code", optional=2),
    Column(N_("Why"), "why", flexible=True, least=24),
    Column(N_("What to do"), "next", below=True),
)


@click.group(
    "coverage",
    cls=Group,
    otherwise=("show",),
    help=N_(
        "Who has a PC, and what proves it. Without a verb: the table by unit against its target."
    ),
    examples=(
        "kiemke coverage",
        "kiemke ty-le --ngay 31/12/2025",
        "kiemke ty-le who --don-vi TG-VP --state silent",
    ),
)
def coverage() -> None:
    """Show the table when no verb is given."""


@coverage.command(
    "show",
    alias="xem",
    help=N_("Coverage of each unit and all below it, against its target."),
    examples=(
        "kiemke coverage show",
        "kiemke ty-le xem --don-vi TG --ngay 31/12/2025",
        "kiemke coverage show --as-of 31/12/2024 --tree today",
    ),
)
@option(
    "--tree",
    "--cay",
    "tree",
    type=TreeDay(),
    metavar=N_("DAY"),
    help=N_(
        "By the units of another day (or today), each unit counted where it went; one that was "
        "split stays apart."
    ),
)
@search_options
@time_options
@shape_options
@pass_app
def show_(
    app: App, unit: str | None, search: str | None, tree: str | None, times: Times, shape: Shape
) -> None:
    """Show coverage by unit."""
    if tree is None:
        asked = {
            **times.parameters(),
            "unit": reference(app, UNIT, unit, times.parameters()),
            "q": search,
        }
        listing = app.client.items("/coverage", asked, shape.rows)
    else:
        later = reference(app, UNIT, unit, {"as_of": tree or None, "known_at": times.known_at})
        asked = {**times.parameters(), "unit": later, "tree": tree or None}
        listing = app.client.items("/coverage/recast", asked, 0)
    if not shape.json:
        rows = told_apart([with_shares(row) for row in listing.items])
        listing = Listing(rows, listing.total)
    columns = CSV_COLUMNS if shape.csv else COLUMNS
    show(app, _title(listing), columns, listing, shape)
    if not (shape.json or shape.csv):
        app.say(*_notes(listing, times))


def _notes(listing: Listing, times: Times) -> list[str]:
    """Return why the figures are of an earlier day than asked for, or of nobody."""
    days = [day for row in listing.items if (day := text_at(row, "day"))]
    notes = []
    if times.as_of is not None and days and max(days) < times.as_of:
        notes.append(_("Only whole days are counted: the day asked for is not over yet."))
    people = [number_at(row, "subtree.officials") for row in listing.items]
    if people and not any(people):
        notes.append(
            _(
                "Nobody was on the roster on that day. A roster read in today counts from tomorrow; "
                "to say since when: kiemke import officials FILE --set valid_from=DAY"
            )
        )
    return notes


def _title(listing: Listing) -> str:
    day = DAY.render(dig(listing.items[0], "day"), figures.zone_of(None)) if listing.items else None
    return _("Coverage at the end of {day}").format(day=day) if day else _("Coverage")


def with_shares(row: Record) -> Record:
    """Return a row with the subtree's figures beside the texts of its shares.

    declared = people − no_pc, by the definition that every person is in exactly one state.
    """
    parts = (dig(row, "subtree"), dig(row, "coverage"))
    found = {name: n for part in parts if isinstance(part, Mapping) for name, n in part.items()}
    people, without = number_at(found, "officials"), number_at(found, "no_pc")
    declared = None if people is None or without is None else people - without
    shown = {
        "declared": of(declared, people),
        "verified": _beside(number_at(found, "verified"), people),
        "target": _target(row),
    }
    # No kinds named is all of them; said so, since a blank would read as unknown.
    whose = dig(row, "kinds") or ["all"]
    return {
        **row,
        "kinds": whose,
        "label": _label(row),
        "figures": {**found, "declared": declared},
        "shown": shown,
    }


def _label(row: Record) -> str | None:
    """Return a unit's name, with the day it ended where it stands on a tree it is not of."""
    name = text_at(row, "unit.name") or text_at(row, "unit.code")
    ended = text_at(row, "ended")
    if ended is None:
        return name
    day = DAY.render(ended, figures.zone_of(None))
    return _("{name}, ended {day}").format(name=name, day=day)


def told_apart(rows: Sequence[Record]) -> tuple[Record, ...]:
    """Return the rows with the code beside a name of two units, and each population of a unit named.

    Below the first row of a unit its others say the population alone: beside a long name it would
    be the part that a narrow screen cuts off.
    """
    units = [(text_at(row, "unit.code"), text_at(row, "ended")) for row in rows]
    names = Counter(
        label for _, label in {(u, r["label"]) for u, r in zip(units, rows, strict=True)}
    )
    times, labelled = Counter(units), []
    for row, unit, above in zip(rows, units, [None, *units], strict=False):
        whose = WHOSE.render(dig(row, "kinds"), figures.zone_of(None))
        name = row["label"] if names[row["label"]] == 1 else f"{row['label']} {unit[0]}"
        if times[unit] == 1 or whose is None:
            labelled.append({**row, "label": name})
        else:
            label = f"· {whose}" if unit == above else f"{name} ({whose})"
            labelled.append({**row, "label": label})
    return tuple(labelled)


def of(n: int | None, d: int | None) -> str | None:
    """Return "378/420 90 %", n/d alone below five persons, None where one of them is unknown."""
    if n is None or d is None:
        return None
    percent = figures.share(n, d)
    pair = f"{figures.count(n)}/{figures.count(d)}"
    return f"{pair} {percent}" if percent else pair


def _beside(n: int | None, d: int | None) -> str | None:
    """Return "300 71,4 %": its d stands in the row already, with the declared."""
    if n is None or d is None:
        return None
    percent = figures.share(n, d)
    return f"{figures.count(n)} {percent}" if percent else figures.count(n)


def _target(row: Record) -> str | None:
    value = dig(row, "target")
    if isinstance(value, bool) or not isinstance(value, int | float):
        # A target of PCs per person, as the column of that name has it.
        ratio = TIMES.render(dig(row, "ratio_target"), figures.zone_of(None))
        return None if ratio is None else _("{ratio} PCs").format(ratio=ratio)
    return f"{figures.trimmed(float(value) * 100)} %"


def _who(
    app: App, unit: str | None, search: str | None, state: str | None, times: Times, shape: Shape
) -> None:
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    listing = items_where(app, "/coverage/who", asked, shape, state=state)
    show(app, _("The persons behind the figures"), WHO, listing, shape)


state_option = option(
    "--state", type=Choice("coverage_state"), help=N_("Only persons in this state.")
)


@coverage.command(
    "who",
    alias="ai",
    help=N_("List the persons behind each figure, why they count so, and what to do next."),
    examples=("kiemke coverage who --unit TG-VP", "kiemke ty-le ai --state no_pc --csv"),
)
@state_option
@search_options
@time_options
@shape_options
@pass_app
def who(
    app: App, unit: str | None, search: str | None, state: str | None, times: Times, shape: Shape
) -> None:
    """List persons by state."""
    _who(app, unit, search, state, times, shape)


for _verb in (fit, diff, equipment, desks):
    coverage.add_command(_verb)


@click.command(
    "thieu-may",
    cls=Command,
    help=N_("Who lacks a PC: short for kiemke coverage who --state no_pc."),
    examples=("kiemke thieu-may", "kiemke thieu-may --don-vi TG-VP --csv"),
)
@option(
    "--state",
    type=Choice("coverage_state"),
    default="no_pc",
    help=N_("Only persons in this state (no_pc if not given)."),
)
@search_options
@time_options
@shape_options
@pass_app
def who_alias(
    app: App, unit: str | None, search: str | None, state: str | None, times: Times, shape: Shape
) -> None:
    """List persons without a PC."""
    _who(app, unit, search, state, times, shape)
