"""kiemke coverage diff: what moved a figure between two readings, by whom, with which paper."""

from datetime import tzinfo

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, THING, Kind
from kiemke.cli.listing import MomentType, PastDayType, Times, json_option, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.tables import ABSENT, Column, as_json, draw
from kiemke.cli.words import codes, word


def _render_state(value: object, zone: tzinfo) -> str | None:
    if not isinstance(value, str):
        return None
    return word("outside" if value == "outside" else "coverage_state", value)


STATE = Kind(_render_state)
EVIDENCE = (
    Column(N_("Official"), "official", THING, flexible=True),
    Column(N_("From"), "before", STATE),
    Column(N_("To"), "after", STATE),
)


MOST_ROWS, MOST_PERSONS = 60, 20


class _OtherMoment(MomentType):
    """A moment, or "now" (nay)."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the moment in RFC 3339, "" for now."""
        if str(value).strip().lower() in ("now", "nay", "bay-gio"):
            return ""
        return super().convert(value, param, ctx)


class TreeDay(PastDayType):
    """A day, or "today" (nay)."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the ISO day, "" for today."""
        if str(value).strip().lower() in ("today", "nay", "hom-nay"):
            return ""
        return super().convert(value, param, ctx)


def _lines(app: App, entry: Record) -> list[str]:
    """Return an entry as one line, and below it a line for each person it moved."""
    since = DAY.render(dig(entry, "valid_from"), app.zone)
    head = (
        MOMENT.render(dig(entry, "at"), app.zone),
        text_at(entry, "who"),
        word("entry_act", text_at(entry, "act") or ""),
        word("ledger_row", text_at(entry, "what") or ""),
        _("since {day}").format(day=since) if since else None,
        _("paper {number}").format(number=text_at(entry, "instrument") or ABSENT),
    )
    moved = records_of(dig(entry, "moved"))
    persons = [
        f"    {text_at(one, 'official.name')}: {_state(one, 'before')} → {_state(one, 'after')}"
        for one in moved[:MOST_PERSONS]
    ]
    if len(moved) > len(persons):
        persons.append("    " + _more(len(moved) - len(persons)))
    return ["  " + " · ".join(part for part in head if part), *persons]


def _more(count: int) -> str:
    return _("… and {count} more; --json has them all").format(count=figures.count(count))


def _state(one: Record, key: str) -> str:
    return STATE.render(text_at(one, key), figures.zone_of(None)) or ""


@click.command(
    "diff",
    cls=Command,
    alias="so-sanh",
    help=N_(
        "Say why a day reads otherwise now than it did then: each row entered or voided since, by "
        "whom, with which paper, and whom it moved from which state to which."
    ),
    examples=(
        "kiemke coverage diff --as-of 31/12 --known-at 05/01 --and now",
        "kiemke ty-le so-sanh --ngay 31/12/2025 --and-as-of 31/03/2026",
    ),
)
@option(
    "--unit", "--don-vi", "unit", metavar=N_("UNIT"), help=N_("Only this unit and those below it.")
)
@option(
    "--and",
    "--voi",
    "other",
    type=_OtherMoment(),
    default="now",
    metavar=N_("MOMENT"),
    help=N_("Compare with what was known at this moment; now, if not given."),
)
@option(
    "--and-as-of",
    "--voi-ngay",
    "other_day",
    type=PastDayType(),
    metavar=N_("DAY"),
    help=N_("Compare with this day instead of the same one."),
)
@time_options
@json_option
@pass_app
def diff(
    app: App, unit: str | None, other: str, other_day: str | None, times: Times, json: bool
) -> None:  # fmt: skip
    """Compare two readings."""
    asked = {
        **times.parameters(),
        "unit": reference(
            app, UNIT, unit, {"as_of": times.as_of}
        ),  # as known now: both readings are told
        "and_as_of": other_day,
        "and_known_at": other or None,
    }
    told = app.client.get("/coverage/diff", asked)
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(_("What moved the figures"))
    for key in ("before", "after"):
        app.say(_reading(app, dig(told, key)))
    for title, late in ((_("Entered since:"), True), (_("By the other day:"), False)):
        rows = [e for e in records_of(dig(told, "entries")) if (dig(e, "late") is True) is late]
        if rows:
            shown = rows[:MOST_ROWS]
            app.say("", title, *(line for row in shown for line in _lines(app, row)))
            if len(rows) > len(shown):
                app.say("  " + _more(len(rows) - len(shown)))
    seen = records_of(dig(told, "by_evidence"))
    if seen:
        app.say("", _("By what machines reported, no row:"))
        app.say(*draw(EVIDENCE, seen, app.width(), app.zone).lines)
    if not seen and not records_of(dig(told, "entries")):
        app.say("", _("Nothing moved."))


def _reading(app: App, reading: object) -> str:
    """Return "31/12/2025, known 05/01/2026 00:00: 120 officials; verified 98, ..."."""
    known: Record = reading if isinstance(reading, dict) else {}
    parts = [
        f"{word('coverage_state', state)} {figures.count(count)}"
        for state in codes("coverage_state")
        if (count := number_at(known, f"states.{state}"))
    ]
    told = _("{day}, known at {moment}: {people} officials").format(
        day=DAY.render(dig(known, "as_of"), app.zone),
        moment=MOMENT.render(dig(known, "known_at"), app.zone),
        people=figures.count(number_at(known, "officials") or 0),
    )
    return f"{told} ({', '.join(parts)})" if parts else told
