"""What all listings share: their options, and the way from rows to a table, CSV or JSON."""

import functools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import click

from kiemke.cli import figures
from kiemke.cli.app import App
from kiemke.cli.command import option
from kiemke.cli.i18n import N_, _
from kiemke.cli.records import Listing, Record
from kiemke.cli.tables import ABSENT, Column, Drawn, as_csv, as_json, cell, draw

DEFAULT_TABLE_ROWS = 200


class DayType(click.ParamType[str]):
    """A day as YYYY-MM-DD or dd/MM/yyyy; sent to the server as YYYY-MM-DD."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the ISO day. Fails with the two ways to write it."""
        read = figures.read_day(str(value))
        if read is None:
            self.fail(
                _("“{value}” is no day; write 21/11/2026 or 2026-11-21").format(value=value),
                param,
                ctx,
            )
        return read.isoformat()


def _recent_day(text: str, ctx: click.Context | None) -> date | None:
    """Return the day that dd/MM names, the nearest past by the installation's clock, else None."""
    app = ctx.find_object(App) if ctx else None
    zone = app.zone if app else figures.zone_of(None)
    return figures.recent_day(text, datetime.now(zone).date())


class PastDayType(DayType):
    """As DayType; dd/MM without a year is the nearest such day that is past or today."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the ISO day. Fails with the ways to write it."""
        recent = _recent_day(str(value), ctx)
        return recent.isoformat() if recent else super().convert(value, param, ctx)


class MomentType(click.ParamType[str]):
    """A moment as RFC 3339 or dd/MM/yyyy HH:MM (Vietnam's clock unless it names an offset).

    dd/MM without a year is the nearest such day that is past or today.
    """

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the moment in RFC 3339. Fails with the two ways to write it."""
        app = ctx.find_object(App) if ctx else None
        zone = app.zone if app else figures.zone_of(None)
        recent = _recent_day(str(value), ctx)
        read = figures.clock_reading(recent.isoformat() if recent else str(value), zone)
        if read is None:
            self.fail(
                _("“{value}” is no moment; write “21/11/2026 16:30” or 2026-11-21T16:30:00").format(
                    value=value
                ),
                param,
                ctx,
            )
        return read.isoformat()


@dataclass(frozen=True, slots=True)
class Times:
    """What was so on a day, as the system said at a moment; None is now."""

    as_of: str | None
    known_at: str | None

    def parameters(self) -> dict[str, str | int | None]:
        """Return the query of these times."""
        return {"as_of": self.as_of, "known_at": self.known_at}


@dataclass(frozen=True, slots=True)
class Shape:
    """How a listing is wanted. ``limit`` 0 is every row, None the default of the shape."""

    json: bool
    csv: bool
    wide: bool
    limit: int | None

    @property
    def rows(self) -> int:
        """The most rows to fetch; a file is never cut quietly, a screen is (and says so)."""
        if self.limit is not None:
            return self.limit
        return 0 if self.json or self.csv else DEFAULT_TABLE_ROWS


Function = Callable[..., Any]


def _folding(function: Function, name: str, make: Callable[..., object], *keys: str) -> Function:
    @functools.wraps(function)
    def folded(*args: Any, **fields: Any) -> Any:
        values = {key: fields.pop(key) for key in keys}
        return function(*args, **fields, **{name: make(**values)})

    return folded


def time_options(function: Function) -> Function:
    """Give a command --as-of/--ngay and --known-at as one argument ``times``."""
    folded = _folding(function, "times", Times, "as_of", "known_at")
    for decorate in (
        option("--known-at", type=MomentType(), metavar=N_("MOMENT"),
               help=N_("As the system knew it at this moment; a day alone is its end.")),
        option("--as-of", "--ngay", "as_of", type=PastDayType(), metavar=N_("DAY"),
               help=N_("What was so on this day.")),
    ):  # fmt: skip
        folded = decorate(folded)
    return folded


def shape_options(function: Function) -> Function:
    """Give a command --json, --csv, --wide and --limit as one argument ``shape``."""
    folded = _folding(function, "shape", _shape, "as_json", "as_csv", "wide", "limit")
    for decorate in (
        option("--limit", type=click.IntRange(min=0), metavar=N_("ROWS"),
               help=N_("At most this many rows; 0 is all.")),
        option("--wide", "--rong", "wide", is_flag=True, help=N_("Cut nothing, however wide.")),
        option("--csv", "as_csv", is_flag=True, help=N_("As CSV for a spreadsheet.")),
        option("--json", "as_json", is_flag=True, help=N_("As JSON for a program.")),
    ):  # fmt: skip
        folded = decorate(folded)
    return folded


def _shape(as_json: bool, as_csv: bool, wide: bool, limit: int | None) -> Shape:
    if as_json and as_csv:
        raise click.UsageError(_("choose --json or --csv, not both"))
    return Shape(as_json, as_csv, wide, limit)


def search_options(function: Function) -> Function:
    """Give a command --unit/--don-vi and --search/--tim."""
    for decorate in (
        option("--search", "--tim", "search", metavar=N_("WORDS"),
               help=N_("Only what these words begin words of, in any order; no accents needed.")),
        option("--unit", "--don-vi", "unit", metavar=N_("UNIT"),
               help=N_("Only this unit and those below it.")),
    ):  # fmt: skip
        function = decorate(function)
    return function


json_option = option("--json", "json", is_flag=True, help=N_("As JSON for a program."))


def items_where(
    app: App,
    path: str,
    parameters: Mapping[str, str | int | None],
    shape: Shape,
    **equal: str | None,
) -> Listing:
    """Return the rows whose fields have these values; None is any value.

    The server is asked to choose, and what it answers is chosen from once more: a server that does
    not know a filter ignores it, and the figures would be of other rows than the title says.
    """
    wanted = {field: value for field, value in equal.items() if value is not None}
    if not wanted:
        return app.client.items(path, parameters, shape.rows)
    found = app.client.items(path, {**parameters, **wanted}).items
    chosen = tuple(
        row for row in found if all(row.get(field) == value for field, value in wanted.items())
    )
    return Listing(chosen[: shape.rows] if shape.rows else chosen, len(chosen))


def show(app: App, title: str, columns: Sequence[Column], listing: Listing, shape: Shape) -> None:
    """Print rows in the shape asked for. ``title`` is text already in the user's language."""
    if shape.json:
        app.write(as_json(_with_mark(app, listing)) + "\n")
        return
    if shape.csv:
        app.write(as_csv(columns, listing.items, app.zone))
        return
    app.heading(title)
    if not listing.items:
        app.say(_("nothing found"))
        return
    drawn = draw(columns, listing.items, None if shape.wide else app.width(), app.zone)
    app.say(*drawn.lines)
    shown, total = len(listing.items), listing.total
    if total is not None and total > shown:
        app.say(
            _("{shown} of {total} rows; --limit 0 shows all").format(
                shown=figures.count(shown), total=figures.count(total)
            )
        )
    app.say(*left_out(app, drawn))


def left_out(app: App, drawn: Drawn) -> list[str]:
    """Return the lines that name the columns which had no room, [] when all had."""
    if not drawn.left_out:
        return []
    note = _("no room for: {columns} (--wide)").format(columns=", ".join(drawn.left_out))
    return textwrap.wrap(note, app.width())


def _with_mark(app: App, listing: Listing) -> Mapping[str, object]:
    answer: dict[str, object] = {"items": list(listing.items), "total": listing.total}
    if app.is_demo():
        answer["demo"] = True
    return answer


def show_one(app: App, title: str, fields: Sequence[Column], record: Record) -> None:
    """Print one thing, a field a line; what is absent is shown as such."""
    from rich.cells import cell_len  # rich is loaded only when something is printed

    app.heading(title)
    names = [_(field.heading).replace("\n", " ") for field in fields]
    longest = max(cell_len(name) for name in names)
    for name, field in zip(names, fields, strict=True):
        value = cell(field, record, app.zone) or ABSENT
        app.say(f"  {name}{' ' * (longest - cell_len(name))}  {value}")


def now_text(app: App, moment: datetime) -> str:
    """Return a moment in the installation's zone, to the minute."""
    return figures.moment(moment, app.zone)
