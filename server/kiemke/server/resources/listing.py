"""What every list shares: its query, paging by key, and the shape of a page."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row, as_date
from kiemke.server.domain.search_words import MOST_WORDS
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text import search_key
from kiemke.server.errors import Both, Problem, choose_language
from kiemke.server.resources.tree import Moment, visible_units

T = TypeVar("T")

DEFAULT_LIMIT, LARGEST_LIMIT = 100, 1000
# Days that can be asked about: figures look some way back from a day and past it.
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list: ``total`` of all that match, ``next`` is the cursor of the rest or null."""

    items: list[T]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list was asked: ``units`` None is all; ``q`` is what is searched for, a search key, "" for nothing."""

    moment: Moment
    units: list[int] | None
    q: str
    limit: int
    after: tuple[Any, int] | None


async def provide_moment(
    request: AppRequest,
    as_of: Annotated[date | None, QueryParameter(description="YYYY-MM-DD; default today")] = None,
    known_at: Annotated[
        datetime | None, QueryParameter(description="RFC 3339; default now")
    ] = None,
) -> Moment:
    """Return the two times a request asks about; today and now by default."""
    services = services_of(request)
    if as_of is not None and not _FIRST_DAY <= as_of <= _LAST_DAY:
        wanted = f"{_FIRST_DAY} – {_LAST_DAY}"
        raise Problem("bad_field", field="as_of", value=as_of, wanted=wanted)
    if known_at is not None and known_at.tzinfo is None:
        known_at = known_at.replace(tzinfo=UTC)
    known_ms = services.clock() if known_at is None else int(known_at.timestamp() * 1000)
    return Moment(as_of or services.today(), known_ms)


async def provide_query(
    request: AppRequest,
    moment: NamedDependency[Moment],
    q: Annotated[str | None, QueryParameter(description="search, without diacritics")] = None,
    unit: Annotated[str | None, QueryParameter(description="code of a unit: its subtree")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=LARGEST_LIMIT)] = DEFAULT_LIMIT,
    after: Annotated[str | None, QueryParameter(description="cursor of the page before")] = None,
) -> ListQuery:
    """Return what a list is asked, cut to what the user may see. Raises Problem 400 or 404."""
    units = await visible_units(services_of(request), request.user, moment, unit)
    return ListQuery(moment, units, search_key(q or ""), limit, _read_cursor(after))


@dataclass(frozen=True, slots=True)
class Listing:
    """The SQL of one list. ``key`` orders it (then ``id``); ``search`` are expressions q looks in.

    ``in_units`` is the condition that a row belongs to ``:[units]``, None when the list has no place
    in the tree. ``finds`` is a condition for what no expression of a row holds: a word, behind a blank, like ``:pattern``.
    ``counted`` are the tables that decide how many rows there are, where ``tables`` has more of them.
    ``grouped``: the tables are read whole for any page, so that the rows are counted with the page.
    ``{active t}`` stands for the two times of a dated row (see ``tree.dated``).
    """

    columns: str
    tables: str
    where: tuple[str, ...] = ()
    key: str = "id"
    id: str = "id"
    in_units: str | None = None
    search: tuple[str, ...] = ()
    descending: bool = False
    finds: str | None = None
    counted: str | None = None
    grouped: bool = False


def _search(listing: Listing, q: str, dialect: str) -> tuple[str, dict[str, str]]:
    """Return the condition that a row has what is searched for, and its parameters.

    Either all of it stands somewhere, or each of its words begins one: see ``text.is_found``. Where all of
    several words stands in a text, each but the first begins a word there, so that most rows are told by
    the longest of these.
    """
    # A search key is in small letters already, and SQLite's LIKE takes an ASCII letter for its capital.
    is_alike = dialect == "sqlite"
    columns = [c if is_alike or c.endswith("search_key") else f"LOWER({c})" for c in listing.search]
    looks = [f"{column} LIKE :pattern ESCAPE '!'" for column in columns]
    looks += [listing.finds] if listing.finds else []
    escaped = re.sub("[!%_]", r"!\g<0>", q)
    found, patterns = f"({' OR '.join(looks)})", {"pattern": f"%{escaped}%"}
    words = list(dict.fromkeys(escaped.split()))[:MOST_WORDS] if " " in q else []
    begin: dict[str, str] = {}
    for number, word in enumerate(words):
        begins = [f"' ' || {c} LIKE :word{number} ESCAPE '!'" for c in columns]
        if listing.finds:
            begins.append(listing.finds.replace(":pattern", f":word{number}"))
        begin[word] = f"({' OR '.join(begins)})"
        patterns[f"word{number}"] = f"% {word}%"
    if not words:
        return found, patterns
    others = sorted(words[1:], key=len, reverse=True)
    terms = [*(begin[word] for word in others), f"({begin[words[0]]} OR {found})"]
    return f"({' AND '.join(terms)})", patterns


async def fetch_page(
    services: Services, listing: Listing, query: ListQuery, **params: Any
) -> tuple[list[Row], int, str | None]:
    """Return one page's rows, the total, and the next cursor."""
    where = ["1 = 1", *listing.where]
    values: dict[str, Any] = dict(params)
    values.update(day=query.moment.day, known=query.moment.known_ms)
    if listing.in_units and query.units is not None:
        where.append(listing.in_units)
        values["units"] = query.units
    among, searched = list(where), dict(values)
    if query.q and (listing.search or listing.finds):
        condition, patterns = _search(listing, query.q, services.db.dialect)
        among.append(condition)
        searched.update(patterns)
    try:
        if listing.grouped or len(among) > len(where):
            rows, total = await _cut(services, listing, query, among, searched)
        else:
            rows, total = await _walk(services, listing, query, where, values)
    except (TypeError, ValueError) as error:
        raise _bad_cursor("?") from error
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    cursor = cursor_of(rows[-1]["page_key"], rows[-1]["page_id"]) if more else None
    if rows and not listing.grouped and len(among) > len(where):
        rows = await _load(services, listing, where, values, [row["page_id"] for row in rows])
    return rows, total, cursor


def _columns(listing: Listing) -> str:
    return f"{listing.columns}, {listing.key} AS page_key, {listing.id} AS page_id"


def _order(listing: Listing) -> str:
    way = "DESC" if listing.descending else "ASC"
    return f"ORDER BY page_key {way}, page_id {way}"


def _behind(
    listing: Listing, query: ListQuery, key: str, row_id: str
) -> tuple[str, dict[str, Any]]:
    """Return the condition that a row comes after the cursor, and its parameters."""
    if query.after is None:
        return "1 = 1", {}
    sign = "<" if listing.descending else ">"
    values = {"after_key": query.after[0], "after_id": query.after[1]}
    return (
        f"({key} {sign} :after_key OR ({key} = :after_key AND {row_id} {sign} :after_id))",
        values,
    )


async def _walk(
    services: Services,
    listing: Listing,
    query: ListQuery,
    where: Sequence[str],
    values: Mapping[str, Any],
) -> tuple[list[Row], int]:
    """Return a page's rows and one more, in the order of an index, and how many there are."""
    among = " ".join(["FROM", listing.counted or listing.tables, "WHERE", " AND ".join(where)])
    counted = await services.db.read(dated(" ".join(["SELECT COUNT(*) AS n", among])), **values)
    behind, after = _behind(listing, query, listing.key, listing.id)
    sql = ["SELECT", _columns(listing), "FROM", listing.tables, "WHERE"]
    sql += [" AND ".join([*where, behind]), _order(listing), "LIMIT :limit"]
    rows = await services.db.read(
        dated(" ".join(sql)), limit=query.limit + 1, **{**values, **after}
    )
    return rows, int(counted[0]["n"])


async def _cut(
    services: Services,
    listing: Listing,
    query: ListQuery,
    where: Sequence[str],
    values: Mapping[str, Any],
) -> tuple[list[Row], int]:
    """Return the same of what is all read once: the page is cut where the rows are counted.

    Of a grouped list whole rows, else their keys.
    """
    columns = f"{listing.key} AS page_key, {listing.id} AS page_id"
    tables = listing.counted or listing.tables
    if listing.grouped:
        columns, tables = _columns(listing), listing.tables
    among = " ".join(["FROM", tables, "WHERE", " AND ".join(where)])
    behind, after = _behind(listing, query, "page_key", "page_id")
    sql = ["SELECT * FROM (SELECT COUNT(*) OVER () AS page_total,", columns, among, ") AS listed"]
    sql += ["WHERE", behind, _order(listing), "LIMIT :limit"]
    rows = await services.db.read(
        dated(" ".join(sql)), limit=query.limit + 1, **{**values, **after}
    )
    if rows or query.after is None:
        return rows, int(rows[0]["page_total"]) if rows else 0
    counted = await services.db.read(dated(" ".join(["SELECT COUNT(*) AS n", among])), **values)
    return [], int(counted[0]["n"])


async def _load(
    services: Services,
    listing: Listing,
    where: Sequence[str],
    values: Mapping[str, Any],
    ids: list[int],
) -> list[Row]:
    """Return the rows of these ids, in the list's order."""
    sql = ["SELECT", _columns(listing), "FROM", listing.tables, "WHERE"]
    sql += [" AND ".join([*where, f"{listing.id} IN :[page_ids]"]), _order(listing)]
    return await services.db.read(dated(" ".join(sql)), page_ids=ids, **values)


async def fetch_one(
    services: Services,
    listing: Listing,
    *,
    noun: Both,
    ref: str,
    names: tuple[str, ...],
    moment: Moment,
    units: list[int] | None,
    **params: Any,
) -> Row:
    """Return the one row that ``ref`` names by one of the columns ``names`` or by id.

    Raises Problem 404 when there is none (or it is out of sight), 409 when there are several.
    """
    values: dict[str, Any] = {"day": moment.day, "known": moment.known_ms, **params}
    base = ["1 = 1", *listing.where]
    if listing.in_units and units is not None:
        base.append(listing.in_units)
        values["units"] = units
    attempts: list[tuple[str, str | int]] = [(f"{name} = :ref", ref) for name in names]
    if ref.isascii() and ref.isdecimal() and len(ref) <= 18:
        attempts.append((f"{listing.id} = :ref_id", int(ref)))
    for condition, value in attempts:
        named = {"ref_id": value} if isinstance(value, int) else {"ref": value}
        sql = [
            "SELECT",
            listing.columns,
            "FROM",
            listing.tables,
            "WHERE",
            " AND ".join([*base, condition]),
            f"ORDER BY {listing.id} LIMIT 6",
        ]
        rows = await services.db.read(dated(" ".join(sql)), **values, **named)
        if len(rows) > 1:
            shown = ", ".join(str(row["id"]) for row in rows)
            raise Problem("ambiguous", what=noun, ref=ref, candidates=shown)
        if rows:
            return rows[0]
    raise Problem("not_found", what=noun, ref=ref)


def page_of(rows: Sequence[T], query: ListQuery) -> tuple[list[T], str | None]:
    """Return one page of rows that are all at hand, and the next cursor: a position."""
    start = start_of(query)
    return list(rows[start : start + query.limit]), next_of(query, len(rows))


def start_of(query: ListQuery) -> int:
    """Return how many rows a list whose cursor is a position passes over. Raises Problem 400."""
    if query.after is None:
        return 0
    key = query.after[0]
    if not isinstance(key, int) or key < 0:
        raise _bad_cursor(str(key))
    return key


def next_of(query: ListQuery, total: int) -> str | None:
    """Return the next cursor of such a list of ``total`` rows, None behind its last page."""
    end = start_of(query) + query.limit
    return cursor_of(end, 0) if end < total else None


def language_of(request: AppRequest) -> str:
    """Return the language the request asks for, "vi" or "en"."""
    default = services_of(request).settings.language
    return choose_language(request.headers.get("accept-language"), default)


def day_text(value: date | str | None) -> str | None:
    """Return a DATE column as YYYY-MM-DD, None for None."""
    return None if value is None else as_date(value).isoformat()


Written = tuple[str | None, str | None, str | None, str | None, str | None, bool]


def written_of(row: Row, known_ms: int) -> Written:
    """Return when a dated row holds from and until, its paper, who wrote it when, and if it was void by then."""
    return (
        day_text(row["valid_from"]),
        day_text(row["valid_to"]),
        row["instrument"],
        row["recorded_by"],
        rfc3339(row["recorded_at_ms"]),
        row["voided_at_ms"] is not None and row["voided_at_ms"] <= known_ms,
    )


def ratio_of(ppm: int | None) -> float | None:
    """Return millionths as a ratio, None for None."""
    return None if ppm is None else ppm / 1_000_000


def cursor_of(key: Any, row_id: int) -> str:
    """Return the cursor that goes on after a row: the key it is ordered by, and its id."""
    text = json.dumps([key, row_id], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> tuple[Any, int] | None:
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key, row_id = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise _bad_cursor(cursor) from error
    known = isinstance(key, str | int) and isinstance(row_id, int)
    if not known or isinstance(key, bool) or isinstance(row_id, bool):
        raise _bad_cursor(cursor)
    if any(isinstance(part, int) and abs(part) > 2**63 - 1 for part in (key, row_id)):
        raise _bad_cursor(cursor)
    return key, row_id


def _bad_cursor(cursor: str) -> Problem:
    wanted = Both("giá trị next của trang trước", "the value next of the page before")
    return Problem("bad_field", field="after", value=cursor[:60], wanted=wanted)
