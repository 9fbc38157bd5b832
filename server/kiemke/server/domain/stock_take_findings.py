"""What a person found in a stock-take, told by any number on a sticker, a serial or an asset's code.

Of a thing on the book it is a count (see ``counts``) that names its stock-take, of a thing that is not a
surplus. One result stands for a thing and a day; another one voids it and adds itself, and "retract"
takes back all that was said of a number.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.counts import CHANGED, NEW, SAME
from kiemke.server.domain.refusal import Refused, refused
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text import search_key, serial_key
from kiemke.server.domain.text_labels import Words

RETRACT = "retract"
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Item:
    """One number and what was found: FOUND of the models, or RETRACT.

    ``unit_id`` and ``place`` say where a thing was seen; ``name`` and ``kind`` are of a surplus. ``of_file``:
    its row has no room for all of that, so that the draft minutes read back say nothing new.
    """

    number: str
    result: str
    place: str | None = None
    unit_id: int | None = None
    note: str | None = None
    name: str | None = None
    kind: str | None = None
    of_file: bool = False


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looked when, in which stock-take, by which decision.

    ``unknown_is_surplus``: so is a number nobody knows.
    """

    take_id: int
    instrument: str
    day: date
    counted_by: str
    unknown_is_surplus: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """An item with what it means: the asset, None for a surplus, and what recording it does.

    ``expected`` is whether the stock-take expects the asset; ``before`` the result that stood.
    ``was_surplus`` are rows that called the asset a surplus before it was on the book: they end.
    """

    item: Item
    asset_id: int | None
    code: str | None
    name: str | None
    expected: bool
    outcome: str
    before: str | None
    replaces: tuple[int, ...]
    was_surplus: tuple[int, ...] = ()


_NAMED = dated("""
SELECT a.id, a.code, COALESCE(f.name, a.name) AS name, a.serial_key,
  CASE WHEN f.id IS NULL THEN a.tag ELSE f.tag END AS tag
FROM asset a LEFT JOIN asset_fact f ON f.asset_id = a.id AND {active f}
WHERE (UPPER(a.code) IN :[numbers.text] OR UPPER(a.tag) IN :[numbers.text]
    OR a.serial_key IN :[keys.text]
    OR a.id IN (SELECT o.asset_id FROM asset_fact o WHERE UPPER(o.tag) IN :[numbers.text]))
  AND (CAST(:all_units AS INTEGER) = 1 OR a.id IN :[expected] OR EXISTS (
    SELECT 1 FROM custody c WHERE c.asset_id = a.id AND c.unit_id IN :[units] AND {active c}))
ORDER BY a.id
""")
_SAID = """
SELECT n.id, n.asset_id, n.found, n.place, n.seen_unit_id, n.note, n.valid_from,
  (SELECT MAX(v.code) FROM unit_version v WHERE v.unit_id = n.seen_unit_id AND v.voided_at_ms IS NULL
    AND v.valid_from <= n.valid_from AND (v.valid_to IS NULL OR v.valid_to > n.valid_from)) AS unit_code
FROM counted_asset n WHERE n.stock_take_id = :take AND n.voided_at_ms IS NULL
ORDER BY n.valid_from, n.recorded_at_ms, n.id
"""
_SURPLUS = """
SELECT id, number_key, name, kind, place, note, valid_from FROM stock_take_surplus
WHERE stock_take_id = :take AND voided_at_ms IS NULL ORDER BY id
"""


async def plan(
    session: Session,
    looking: Looking,
    items: Sequence[Item],
    expected: Collection[int],
    units: Sequence[int] | None,
    today: date,
    known_ms: int,
) -> list[Finding]:
    """Return what recording the items would do, in their order.

    Numbers are looked up among the expected assets and those of ``units`` (None is all). Raises Refused
    for numbers nobody has, that several have, or that are said twice.
    """
    # SQLite's UPPER knows the letters of ASCII alone.
    numbers = sorted({form for item in items for form in (item.number, item.number.upper())})
    keys = sorted({key for item in items if (key := serial_key(item.number))})
    rows = await session.fetch(
        _NAMED,
        numbers=numbers,
        keys=keys,
        expected=sorted(expected),
        all_units=1 if units is None else 0,
        units=list(units or []),
        day=today,
        known=known_ms,
    )
    said: dict[int, list[Row]] = defaultdict(list)
    for row in await session.fetch(_SAID, take=looking.take_id):
        said[row["asset_id"]].append(row)
    surplus = {r["number_key"]: r for r in await session.fetch(_SURPLUS, take=looking.take_id)}
    book = _Book(rows)
    found: list[Finding] = []
    troubles: dict[str, list[str]] = defaultdict(list)
    taken: dict[tuple[int | None, str], Item] = {}
    for item in items:
        asset, trouble = book.find(item.number)
        if asset is None and trouble is None:
            trouble = _trouble_of_unknown(item, looking, surplus)
        elif asset is not None and item.result == "surplus":
            trouble = "booked"
        elif asset is not None and item.result == "missing" and asset["id"] not in expected:
            trouble = "not_expected"
        thing = (None, number_key(item.number)) if asset is None else (asset["id"], "")
        before = taken.setdefault(thing, item)
        again = trouble is None and before is not item
        if again and replace(before, number="") != replace(item, number=""):
            trouble = "twice"
        if trouble is not None:
            troubles[trouble].append(item.number)
        elif again:
            continue
        elif asset is not None:
            finding = _of_asset(item, asset, said[asset["id"]], expected, looking)
            found.append(_settling(finding, asset, surplus))
        else:
            found.append(_of_surplus(item, surplus.get(thing[1])))
    if troubles:
        raise _refusal(troubles)
    return found


def number_key(number: str) -> str:
    """Return a number as compared: letters and digits, else the text without its marks."""
    return serial_key(number) or search_key(number)[:120]


class _Book:
    """Which asset a number means: its code before its sticker, then its serial, then an old sticker."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {row["id"]: row for row in rows}
        self._by: tuple[dict[str, set[int]], ...] = (
            defaultdict(set), defaultdict(set), defaultdict(set),
        )  # fmt: skip
        for row in rows:
            self._by[0][row["code"].upper()].add(row["id"])
            if row["tag"]:
                self._by[1][row["tag"].upper()].add(row["id"])
            if row["serial_key"]:
                self._by[2][row["serial_key"]].add(row["id"])

    def find(self, number: str) -> tuple[Row | None, str | None]:
        """Return the asset, None with the reason where several have the number, None and None: nobody."""
        text, key = number.upper(), serial_key(number) or ""
        for names, wanted in zip(self._by, (text, text, key), strict=True):
            ids = names.get(wanted, set())
            if len(ids) > 1:
                return None, "several"
            if ids:
                return self._rows[next(iter(ids))], None
        return None, None


def _trouble_of_unknown(item: Item, looking: Looking, surplus: Mapping[str, Row]) -> str | None:
    if item.result == "surplus":
        return None
    if item.result == RETRACT:
        return None if number_key(item.number) in surplus else "unknown"
    return None if looking.unknown_is_surplus and item.result != "missing" else "unknown"


def _of_asset(
    item: Item, asset: Row, said: Sequence[Row], expected: Collection[int], looking: Looking
) -> Finding:
    last = said[-1] if said else None
    if item.result == RETRACT:
        outcome, replaces = CHANGED if said else SAME, tuple(row["id"] for row in said)
    elif last is not None and _repeats(item, last, surely=asset["id"] in expected):
        outcome, replaces = SAME, ()
    else:
        same_day = [row for row in said if as_date(row["valid_from"]) == looking.day]
        outcome, replaces = NEW, tuple(row["id"] for row in same_day)
        if same_day:
            row = same_day[-1]
            told = (row["found"], row["place"], row["seen_unit_id"], row["note"])
            again = told == (item.result, item.place, item.unit_id, item.note)
            outcome = SAME if again else CHANGED
    return Finding(
        item,
        asset["id"],
        asset["code"],
        asset["name"],
        asset["id"] in expected,
        outcome,
        None if last is None else last["found"],
        replaces,
    )


def _repeats(item: Item, row: Row, *, surely: bool = True) -> bool:
    """Return whether a row of a file says what stands, as the minutes write it: “YH-NV; Phòng 3”.

    Of a thing that is not expected they write that alone, not what was said of it: ``surely`` False.
    """
    if surely and item.result != row.get("found", "surplus"):
        return False
    where = "; ".join(part for part in (row.get("unit_code"), row["place"]) if part)
    return (
        item.of_file
        and item.place in (None, row["place"], where)
        and item.note in (None, row["note"])
    )


def _settling(finding: Finding, asset: Row, surplus: Mapping[str, Row]) -> Finding:
    """Return the finding with the surplus that the asset was called, by any number on it."""
    names = (finding.item.number, asset["code"], asset["tag"])
    keys = {number_key(name) for name in names if name} | {asset["serial_key"]}
    ids = tuple(surplus[key]["id"] for key in sorted(keys & surplus.keys()))
    if not ids:
        return finding
    return replace(finding, was_surplus=ids, outcome=CHANGED, before=finding.before or "surplus")


def _of_surplus(item: Item, row: Row | None) -> Finding:
    outcome = NEW
    if row is not None:
        told = (row["name"], row["kind"], row["place"], row["note"])
        again = told == (item.name, item.kind, item.place, item.note) or _repeats(item, row)
        again = again and item.result != RETRACT
        outcome = SAME if again else CHANGED
    before = None if row is None else "surplus"
    replaces = () if row is None else (row["id"],)
    return Finding(item, None, None, item.name, False, outcome, before, replaces)


_TROUBLES: dict[str, tuple[Words, Words]] = {
    "unknown": (
        Words("không có tài sản nào mang số", "no asset has the number"),
        Words(
            "Kiểm tra số; nếu là vật ngoài sổ, ghi --result surplus hoặc --unknown-as-surplus.",
            "Check it; for a thing not on the book give --result surplus or --unknown-as-surplus.",
        ),
    ),
    "several": (
        Words("nhiều tài sản mang cùng số", "several assets have the number"),
        Words("Ghi theo mã tài sản.", "Give the asset's code."),
    ),
    "booked": (
        Words("có trên sổ, không phải thừa", "on the book, so no surplus"),
        Words("Ghi --result found.", "Give --result found."),
    ),
    "not_expected": (
        Words("không thuộc danh sách kiểm kê này", "not in the list of this stock-take"),
        Words("Bỏ số đó.", "Leave it out."),
    ),
    "twice": (
        Words("nêu hai lần, khác nhau", "given twice, differently"),
        Words("Giữ một lần.", "Keep one."),
    ),
}


def _refusal(troubles: Mapping[str, Sequence[str]]) -> Refused:
    """Return the refusal that names what is wrong with which numbers."""
    vi, en, remedy_vi, remedy_en = [], [], [], []
    for trouble, numbers in troubles.items():
        what, remedy = _TROUBLES[trouble]
        named = ", ".join(numbers[:_MOST_NAMED])
        named += f" … ({len(numbers)})" if len(numbers) > _MOST_NAMED else ""
        vi.append(f"{what.vi}: {named}")
        en.append(f"{what.en}: {named}")
        remedy_vi.append(remedy.vi)
        remedy_en.append(remedy.en)
    return refused("; ".join(vi), "; ".join(en), " ".join(remedy_vi), " ".join(remedy_en))


async def write(
    session: Session, looking: Looking, found: Sequence[Finding], *, who: str, now_ms: int
) -> None:
    """Write what is new or changed, in the caller's transaction."""
    fresh = [each for each in found if each.outcome != SAME]
    ended: dict[str, list[int]] = {"counted_asset": [], "stock_take_surplus": []}
    for each in fresh:
        ended["stock_take_surplus" if each.asset_id is None else "counted_asset"] += each.replaces
        ended["stock_take_surplus"] += each.was_surplus
    for table, ids in ended.items():
        await session.many(
            f"UPDATE {table} SET voided_at_ms = :now, voided_by = :who WHERE id = :id",  # noqa: S608
            [{"now": now_ms, "who": who, "id": id_} for id_ in ids],
        )
    said = [each for each in fresh if each.item.result != RETRACT]
    shared: dict[str, Any] = {
        "take": looking.take_id, "day": looking.day, "next_day": looking.day + timedelta(days=1),
        "counted_by": looking.counted_by, "now": now_ms, "who": who,
    }  # fmt: skip
    await session.many(
        "INSERT INTO counted_asset (asset_id, result, found, place, seen_unit_id, note, stock_take_id,"
        " valid_from, valid_to, counted_by, instrument, recorded_at_ms, recorded_by) VALUES (:asset,"
        " :result, :found, :place, :unit, :note, :take, :day, :next_day, :counted_by, :paper, :now,"
        " :who)",
        [
            {
                **shared,
                "paper": looking.instrument,
                "asset": each.asset_id,
                "result": "missing" if each.item.result == "missing" else "seen",
                "found": each.item.result,
                "place": each.item.place,
                "unit": each.item.unit_id,
                "note": each.item.note,
            }
            for each in said
            if each.asset_id is not None
        ],
    )
    await session.many(
        "INSERT INTO stock_take_surplus (stock_take_id, number, number_key, name, kind, place, note,"
        " counted_by, valid_from, valid_to, recorded_at_ms, recorded_by) VALUES (:take, :number, :key,"
        " :name, :kind, :place, :note, :counted_by, :day, :next_day, :now, :who)",
        [
            {
                **shared,
                "number": each.item.number,
                "key": number_key(each.item.number),
                "name": each.item.name,
                "kind": each.item.kind,
                "place": each.item.place,
                "note": each.item.note,
            }
            for each in said
            if each.asset_id is None
        ],
    )
