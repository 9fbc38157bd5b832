"""kiemke search: anything, by part of a name or of a number on a sticker."""

from datetime import date
from itertools import groupby

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import THING, words
from kiemke.cli.listing import Shape, Times, shape_options, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.tables import Column, as_csv, as_json, draw
from kiemke.cli.words import word

OF_EACH_KIND, OF_ONE_KIND, MOST = 5, 50, 200
COLUMNS = (
    Column(N_("Name"), "name", flexible=True, least=14),
    Column(N_("Unit"), "unit", THING, flexible=True, optional=1, least=10),
    Column(N_("Found by"), "found_by", flexible=True, least=16),
    Column(N_("Next"), "next", below=True),
)
CSV_COLUMNS = (
    Column(N_("Kind"), "kind", words("found_kind")),
    Column(N_("Code"), "ref"),
    *COLUMNS,
)


@click.command(
    "search",
    cls=Command,
    help=N_(
        "Find units, officials, assets, machines, devices, lines, sources and places: by words of "
        "a name without accents, or by any number on a sticker (code, tag, serial, MAC, IP, phone, "
        "host name), whole or in part."
    ),
    examples=(
        "kiemke search 'nguyen dat'",
        "kiemke tim 00-1a-2b-3c-4d-5e",
        "kiemke tim 0456 --kind asset",
    ),
)
@argument("text", metavar=N_("TEXT"), nargs=-1, required=True)
@option(
    "--kind",
    "--loai",
    "kind",
    type=Choice("found_kind"),
    metavar=N_("KIND"),
    help=N_("Only things of this kind, and more of them."),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"),
        help=N_("Only this unit and those below it."))  # fmt: skip
@time_options
@shape_options
@pass_app
def search(
    app: App, text: tuple[str, ...], kind: str | None, unit: str | None, times: Times, shape: Shape
) -> None:
    """Search."""
    limit = shape.limit
    if limit is None:
        limit = OF_ONE_KIND if kind else OF_EACH_KIND
    asked = {
        **times.parameters(),
        "q": " ".join(text),
        "kind": kind,
        "unit": reference(app, UNIT, unit, times.parameters()),
        "limit": min(limit or MOST, MOST),
    }
    found = app.client.get("/search", asked)
    if shape.json:
        app.write(as_json(found) + "\n")
        return
    items = [_line(item) for item in records_of(dig(found, "items"))]
    if shape.csv:
        app.write(as_csv(CSV_COLUMNS, items, app.zone))
        return
    _show(app, items, records_of(dig(found, "counts")), shape)
    if dig(found, "behind"):
        app.say(_("Rows of the last moments are not in yet; search again in a minute."))


def _show(app: App, items: list[Record], counts: tuple[Record, ...], shape: Shape) -> None:
    if not items:
        app.say(_("nothing found"))
        return
    totals = {text_at(count, "kind"): count for count in counts}
    for kind, group in groupby(items, key=lambda item: text_at(item, "kind") or ""):
        rows = list(group)
        app.heading(_title(kind, len(rows), totals.get(kind)))
        app.say(*draw(COLUMNS, rows, None if shape.wide else app.width(), app.zone).lines)
        app.say("")


def _title(kind: str, shown: int, count: Record | None) -> str:
    found = shown if count is None else number_at(count, "found") or shown
    more = count is not None and bool(dig(count, "more"))
    if not more and found == shown:
        return f"{word('found_kind', kind)}: {figures.count(found)}"
    total = figures.count(found)
    told = _("{shown} of {total}").format(
        shown=figures.count(shown),
        total=_("over {count}").format(count=total) if more else total,
    )
    return f"{word('found_kind', kind)}: {told} (--kind {kind})"


def _line(item: Record) -> Record:
    """Return a hit with what found it as one text: "sticker HC/0456"."""
    told = []
    for matched in records_of(dig(item, "matched")):
        what, value = text_at(matched, "what") or "", text_at(matched, "value") or ""
        until = text_at(matched, "until")
        if until is not None:
            day = figures.day(date.fromisoformat(until))
            told.append(_("until {day}: {value}").format(day=day, value=value))
        elif what == "name" and value == text_at(item, "name"):
            told.append(word("found_by", what))
        else:
            told.append(f"{word('found_by', what)} {value}")
    name = text_at(item, "name") or text_at(item, "ref")
    return {**item, "name": name, "found_by": "; ".join(told)}
