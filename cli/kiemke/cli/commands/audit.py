"""kiemke audit: who changed what, when, from where, by which paper; with before and after."""

from dataclasses import replace
from json import loads
from pathlib import Path

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import ActType
from kiemke.cli.command import Group, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, words
from kiemke.cli.listing import (
    DayType,
    Shape,
    Times,
    json_option,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.tables import Column, as_json
from kiemke.cli.text import visible

PATIENCE_SECONDS = 1800.0  # the whole log of ten years

COLUMNS = (
    Column(N_("When"), "at", MOMENT),
    Column(N_("By"), "who", flexible=True),
    Column(N_("Act"), "act", words("act"), flexible=True, least=20),
    Column(N_("About"), "named", flexible=True, least=16),
    Column(N_("Before → after"), "changed", flexible=True, least=12),
    Column(N_("Paper"), "paper", flexible=True, optional=1),
    Column(N_("From where"), "origin.address", optional=2),
)


@click.group(
    "audit",
    cls=Group,
    help=N_("Who changed what, when and by which paper. Nobody can write it over."),
    examples=("kiemke audit list", "kiemke nhat-ky list --don-vi TG-XA"),
)
def audit() -> None:
    """Hold the verbs."""


@audit.command(
    "list",
    alias="danh-sach",
    help=N_(
        "List the entries, newest first. Who is responsible for some units sees the entries that "
        "concern these units alone."
    ),
    examples=(
        "kiemke audit list --limit 50",
        "kiemke nhat-ky list --don-vi TG-XA --ngay 31/12/2026 --json",
        "kiemke audit list --who binh --act approval --since 01/12/2026",
        'kiemke nhat-ky list --viec "duyệt nguồn"',
        "kiemke nhat-ky list --doi-tuong official:CB-01",
    ),
)
@option("--who", "--ai", "who", metavar=N_("USER"), help=N_("Only what this user did."))
@option("--act", "--viec", "act", type=ActType(), metavar=N_("ACT"),
        help=N_("Only this act: as the list tells it (“source approved”), its code (source.approve), or all of a kind (source)."))  # fmt: skip
@option("--about", "--doi-tuong", "about", metavar=N_("SUBJECT"),
        help=N_("Only about this (official:CB-01, asset:PC-0042), or about all of a kind (official)."))  # fmt: skip
@option("--since", "--tu", "since", type=DayType(), metavar=N_("DAY"),
        help=N_("From this day on; --as-of is the last day."))  # fmt: skip
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"),
        help=N_("Only this unit and those below it."))  # fmt: skip
@time_options
@shape_options
@pass_app
def list_(
    app: App,
    unit: str | None,
    who: str | None,
    act: str | None,
    about: str | None,
    since: str | None,
    times: Times,
    shape: Shape,
) -> None:
    """List entries."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "who": who,
        "act": act,
        "subject": about,
        "since": since,
    }
    listing = app.client.items("/audit", asked, shape.rows)
    if not shape.json:
        told = tuple(
            {
                **entry,
                "named": entry.get("about") or entry.get("subject"),
                "changed": changed(entry),
            }
            for entry in listing.items
        )
        listing = replace(listing, items=told)
    show(app, _("The audit log"), COLUMNS, listing, shape)


@audit.command(
    "verify",
    alias="kiem-tra",
    help=N_(
        "Have the whole log and every ledger read again: what was edited, removed, moved or cut off. "
        "Exit 1 when something is. For who sees all units; --anchor proves that no tail was cut."
    ),
    examples=(
        "kiemke audit verify",
        "kiemke nhat-ky kiem-tra --anchor neo-2026-12.json --json",
    ),
)
@option("--anchor", "--neo", "anchors", metavar=N_("FILE"), multiple=True,
        help=N_("A signed head kept outside, as kiemke audit anchor wrote it."))  # fmt: skip
@json_option
@pass_app
def verify(app: App, anchors: tuple[str, ...], json: bool) -> None:
    """Verify the log."""
    body = {"anchors": [_anchor(Path(name)) for name in anchors]}
    found = app.client.send("POST", "/audit/verify", body=body, patience_seconds=PATIENCE_SECONDS)
    if json:
        app.write(as_json(found) + "\n")
    else:
        read = {
            name: number_at(found, name) or 0 for name in ("checked", "signed_heads", "unsealed")
        }
        app.say(
            _("{checked} entries, {signed_heads} signed heads, {unsealed} waiting").format(**read)
        )
        for fault in (faults := records_of(dig(found, "faults"))):
            place = text_at(fault, "place")
            app.say(visible(f"{place or '–'}: {text_at(fault, 'what')}"))
        if (more := (number_at(found, "fault_count") or 0) - len(faults)) > 0:
            app.say(_("… and {count} more").format(count=more))
        app.say(
            _("All is as it was sealed.")
            if dig(found, "is_whole") is True
            else _("The log is not what was sealed.")
        )
    if dig(found, "is_whole") is not True:
        raise click.exceptions.Exit(1)


@audit.command(
    "anchor",
    alias="neo",
    help=N_(
        "Print the newest signed head. Keep it where nobody of the server can write: it shows later "
        "that no tail was cut off."
    ),
    examples=("kiemke audit anchor > neo-2026-12.json",),
)
@pass_app
def anchor(app: App) -> None:
    """Print the newest signed head."""
    app.write(as_json(app.client.get("/audit/anchor")) + "\n")


def _anchor(path: Path) -> object:
    """Return a kept head. Raises KiemkeError."""
    try:
        return loads(path.read_bytes())
    except (OSError, ValueError) as err:
        raise KiemkeError(
            _("This is no signed head: {why}").format(why=err),
            where=str(path),
            remedy=_("Give a file that kiemke audit anchor wrote."),
        ) from err


def changed(entry: Record) -> str | None:
    """Return what an entry changed as "name: before → after", None when it names no value."""
    before, after = dig(entry, "before"), dig(entry, "after")
    sides = [side if isinstance(side, dict) else {} for side in (before, after)]
    told = []
    for name in dict.fromkeys((*sides[0], *sides[1])):
        old, new = (side.get(name) for side in sides)
        if old == new:
            continue
        told.append(
            f"{name}: {_said(new)}" if old is None else f"{name}: {_said(old)} → {_said(new)}"
        )
    return "; ".join(told) or None


def _said(value: object) -> str:
    return "–" if value is None else str(value)
