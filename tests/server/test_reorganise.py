"""Reorganisations: Tiên Lãng's twenty-one communes become six, one is split, names are reused."""

from collections import Counter
from datetime import date
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.coverage import recount
from kiemke.server.domain.reorganise import plan
from kiemke.server.domain.reorganise_apply import apply
from kiemke.server.domain.reorganise_decision import (
    CannotReorganise,
    Change,
    Decision,
    NewUnit,
)
from kiemke.server.domain.text import search_key
from tests.support.imports import load

DAY = date(2025, 7, 1)
TODAY = date(2026, 1, 5)
EVE = date(2025, 6, 30)
NOW_MS = 1_767_585_600_000  # 2026-01-05T04:00Z
LATER_MS = NOW_MS + 1
PAPER = "1669/NQ-UBTVQH15"

# The district's communes of before the day, and which of the six they went to.
OLD = {
    "Tiên Lãng": ("TL", ["TL", "KN", "QT", "TT"]),
    "Quyết Thắng": ("QTH", ["DT", "TC", "TCU"]),
    "Tân Minh": ("TM", ["KT", "CT", "DL"]),
    "Tiên Minh": ("TMI", ["TIM", "TTH"]),
    "Chấn Hưng": ("CH", ["BH", "DH", "NH", "TH"]),
    "Hùng Thắng": ("HT", ["HT", "VQ"]),
}
SPLIT = "TM"  # xã Tân Minh of before went to the new Tân Minh and to Tiên Minh
DEPARTMENTS = [f"P{n:02d}" for n in range(1, 13)]
COMMUNES = sorted({code for _, codes in OLD.values() for code in codes} | {SPLIT})


async def load_tien_lang(database: Database) -> None:
    """Import the district: 12 departments, 19 communes, two people and a PC each in every unit."""
    units = [["code", "name", "type", "parent", "valid_from"]]
    units += [["HP", "Thành phố Hải Phòng", "thanh_pho", "", "01/01/2020"]]
    units += [["H", "Huyện Tiên Lãng", "huyen", "HP", "01/01/2020"]]
    units += [[code, f"Phòng {code}", "phong", "H", "01/01/2020"] for code in DEPARTMENTS]
    units += [[code, f"Xã {code}", "xa", "H", "01/01/2020"] for code in COMMUNES]
    people = [["code", "name", "unit", "kind", "valid_from"]]
    assets = [["code", "kind", "name", "status", "unit", "official", "valid_from"]]
    for unit in (*DEPARTMENTS, *COMMUNES):
        for n in (1, 2):
            people.append(
                [f"{unit}-{n}", f"Nguyễn Văn {unit} {n}", unit, "cong_chuc", "01/01/2020"]
            )
        assets.append([f"PC-{unit}", "desktop", "Máy", "in_use", unit, f"{unit}-1", "01/01/2020"])
        assets.append([f"PR-{unit}", "printer", "Máy in", "in_use", unit, "", "01/01/2020"])
    links = [["code", "name", "unit", "kind", "down_mbps", "up_mbps", "valid_from"]]
    links += [[f"LN-{SPLIT}", "FTTH", SPLIT, "internet", "100", "100", "01/01/2020"]]
    for template, rows in (
        ("units", units), ("officials", people), ("assets", assets), ("links", links),
    ):  # fmt: skip
        result = await load(database, template, rows)
        assert result.errors == () and result.applied


def tien_lang_decision(assign: dict[str, str] | None = None) -> Decision:
    """The whole reform of the district in one decision."""
    new = [NewUnit(code, f"Xã {name}", "xa", "HP") for name, (code, _) in OLD.items()]
    new.append(NewUnit("CUM-TL", "Cụm Tiên Lãng", "cum", "HP"))
    changes = [Change("merge", tuple(codes), (code,)) for code, codes in OLD.values()]
    changes.append(Change("split", (SPLIT,), ("TM", "TMI"), assign or {}))
    changes.append(Change("merge", (*DEPARTMENTS, "H"), ("CUM-TL",)))
    return Decision(DAY, PAPER, tuple(new), tuple(changes))


async def decide(database: Database, decision: Decision, now_ms: int = NOW_MS) -> dict[str, Any]:
    """Plan and apply; return the consequences that were foretold."""
    async with database.transaction() as session:
        planned = await plan(session, decision, TODAY)
        foretold = planned.consequences()
        await apply(session, planned, who="tester", now_ms=now_ms)
    return foretold


async def units_on(database: Database, day: date, known_ms: int = LATER_MS) -> dict[str, str]:
    rows = await database.read(
        "SELECT code, name FROM unit_version WHERE valid_from <= :day"
        " AND (valid_to IS NULL OR valid_to > :day) AND recorded_at_ms <= :known"
        " AND (voided_at_ms IS NULL OR voided_at_ms > :known)",
        day=day,
        known=known_ms,
    )
    assert len({r["code"] for r in rows}) == len(rows)
    return {r["code"]: r["name"] for r in rows}


async def people_on(database: Database, day: date, known_ms: int = LATER_MS) -> Counter[str]:
    rows = await database.read(
        "SELECT v.code FROM membership m JOIN unit_version v ON v.unit_id = m.unit_id"
        " AND v.valid_from <= :day AND (v.valid_to IS NULL OR v.valid_to > :day)"
        " AND v.recorded_at_ms <= :known AND (v.voided_at_ms IS NULL OR v.voided_at_ms > :known)"
        " WHERE m.valid_from <= :day AND (m.valid_to IS NULL OR m.valid_to > :day)"
        " AND m.recorded_at_ms <= :known AND (m.voided_at_ms IS NULL OR m.voided_at_ms > :known)",
        day=day,
        known=known_ms,
    )
    return Counter(r["code"] for r in rows)


async def test_the_whole_reform_of_tien_lang(database: Database) -> None:
    """21 units of the district's level become 6 communes, a cluster, and what nobody assigned."""
    await load_tien_lang(database)

    foretold = await decide(database, tien_lang_decision({f"official:{SPLIT}-1": "TMI"}))
    after = await units_on(database, DAY)
    people = await people_on(database, DAY)

    assert sorted(after) == sorted(["HP", "CUM-TL", "TM-CPB", *(c for c, _ in OLD.values())])
    assert after["TL"] == "Xã Tiên Lãng"
    assert len(foretold["ended"]) == 1 + len(DEPARTMENTS) + len(COMMUNES)
    assert people["CUM-TL"] == 24
    assert people["TMI"] == 2 * 2 + 1
    assert people["TM"] == 3 * 2
    assert people["TM-CPB"] == 1
    assert sum(people.values()) == 2 * (len(DEPARTMENTS) + len(COMMUNES))
    # Units of a decision are found by name as those of a file are.
    versions = await database.read("SELECT name, search_key FROM unit_version")
    assert [v["search_key"] for v in versions] == [search_key(v["name"]) for v in versions]


async def test_history_stays_on_the_old_units(database: Database) -> None:
    await load_tien_lang(database)
    before_units = await units_on(database, EVE, NOW_MS - 1)
    before_people = await people_on(database, EVE, NOW_MS - 1)

    await decide(database, tien_lang_decision())

    assert await units_on(database, EVE) == before_units
    assert await people_on(database, EVE) == before_people
    assert before_units["TL"] == "Xã TL"


async def test_what_was_known_before_the_decision_can_still_be_asked(database: Database) -> None:
    """--known-at: on 1 July, as the system said it before anybody entered the decision."""
    await load_tien_lang(database)
    before = await people_on(database, DAY, NOW_MS - 1)

    await decide(database, tien_lang_decision())

    assert await people_on(database, DAY, NOW_MS - 1) == before
    assert await people_on(database, DAY) != before


async def test_a_pc_follows_its_official_and_the_rest_waits_to_be_assigned(
    database: Database,
) -> None:
    await load_tien_lang(database)

    foretold = await decide(
        database,
        tien_lang_decision({f"official:{SPLIT}-1": "TMI", f"link:LN-{SPLIT}": "TM"}),
    )
    moved = {
        f"{m['what']}:{m['code']}": m["to"]["code"]
        for m in foretold["moved"]
        if m["from"]["name"] == f"Xã {SPLIT}"
    }

    assert moved == {
        f"official:{SPLIT}-1": "TMI",
        f"official:{SPLIT}-2": "TM-CPB",
        f"asset:PC-{SPLIT}": "TMI",
        f"asset:PR-{SPLIT}": "TM-CPB",
        f"link:LN-{SPLIT}": "TM",
    }


async def test_the_unassigned_are_assigned_later_and_the_waiting_unit_ends(
    database: Database,
) -> None:
    await load_tien_lang(database)
    await decide(database, tien_lang_decision({f"official:{SPLIT}-1": "TMI"}))
    everything = {f"official:{SPLIT}-2": "TM", f"asset:PR-{SPLIT}": "TM", f"link:LN-{SPLIT}": "TM"}

    await decide(
        database,
        Decision(TODAY, "12/QĐ", (), (Change("assign", ("TM-CPB",), ("TM",), everything),)),
        NOW_MS + 10,
    )

    known = NOW_MS + 20
    assert "TM-CPB" in await units_on(database, DAY, known)
    assert "TM-CPB" not in await units_on(database, TODAY, known)
    assert (await people_on(database, TODAY, known))["TM"] == 7


async def test_coverage_of_each_date_follows_the_tree_of_that_date(database: Database) -> None:
    await load_tien_lang(database)
    await decide(database, tien_lang_decision({f"official:{SPLIT}-1": "TMI"}))

    async with database.reading() as session:
        before = {r.unit_id: r for r in await recount(session, EVE, LATER_MS)}
        after = {r.unit_id: r for r in await recount(session, DAY, LATER_MS)}
    rows = await database.read(
        "SELECT unit_id, code, type FROM unit_version WHERE voided_at_ms IS NULL"
        " AND code IN ('HP', 'H', 'TL')"
    )
    ids = {(r["code"], r["type"]): r["unit_id"] for r in rows}
    city, district = ids["HP", "thanh_pho"], ids["H", "huyen"]

    total = 2 * (len(DEPARTMENTS) + len(COMMUNES))
    assert before[city].officials == after[city].officials == total
    assert before[district].officials == total
    assert district not in after


async def test_a_second_decision_on_the_same_day_corrects_without_erasing(
    database: Database,
) -> None:
    await load_tien_lang(database)
    rename = Decision(DAY, "1/QĐ", (), (Change("rename", ("TL",), name="Xã Tiên Lãng cũ"),))
    again = Decision(DAY, "2/QĐ", (), (Change("rename", ("TL",), name="Xã Tiên Lãng"),))

    await decide(database, rename, NOW_MS)
    await decide(database, again, NOW_MS + 10)

    assert (await units_on(database, DAY, NOW_MS + 5))["TL"] == "Xã Tiên Lãng cũ"
    assert (await units_on(database, DAY, NOW_MS + 15))["TL"] == "Xã Tiên Lãng"
    assert (await units_on(database, EVE, NOW_MS + 15))["TL"] == "Xã TL"


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        (Decision(date(2026, 8, 1), "x"), "still to come"),
        (Decision(DAY, "x", (), (Change("merge", ("NOPE",), ("TL",)),)), "no unit"),
        (Decision(DAY, "x", (), (Change("merge", ("TL",), ()),)), "receiving unit"),
        (Decision(DAY, "x", (), (Change("split", ("TL",), ("KN",)),)), "receiving unit"),
        (Decision(DAY, "x", (), (Change("end", ("TL",)),)), "still holds"),
        (Decision(DAY, "x", (), (Change("move", ("H",), parent="TL"),)), "below itself"),
        (Decision(DAY, "x", (), (Change("rename", ("TL",), code="KN"),)), "two units"),
        (Decision(DAY, "x", (), (Change("retype", ("TL",), type="vua"),)), "unit type"),
        (Decision(DAY, "x", (NewUnit("A", "A", "xa", "HP"),) * 2), "twice"),
        (Decision(DAY, "x", (), (Change("merge", ("H",), ("HP",)), Change("dance", ("TL",)))), "kind"),
        (
            Decision(DAY, "x", (), (Change("split", ("TL",), ("KN", "QT"), {"official:Z": "KN"}),)),
            "not held",
        ),
        (
            Decision(
                DAY, "x", (), (Change("split", ("TL",), ("KN", "QT"), {"official:TL-1": "TT"}),)
            ),
            "receives nothing",
        ),
    ],
)  # fmt: skip
async def test_a_decision_that_cannot_be_is_refused_and_changes_nothing(
    database: Database, decision: Decision, says: str
) -> None:
    await load_tien_lang(database)
    before = await units_on(database, TODAY)

    with pytest.raises(CannotReorganise, match=says) as refused:
        await decide(database, decision)

    assert refused.value.message.vi and refused.value.remedy.vi
    assert await units_on(database, TODAY) == before


async def test_departments_that_shared_a_line_are_one_sharer_once_merged(
    database: Database,
) -> None:
    """Twelve departments on one line become one cluster: it is shared by one, not twelve times."""
    await load_tien_lang(database)
    links = [
        ["code", "name", "unit", "kind", "down_mbps", "up_mbps", "shared_by", "valid_from"],
        ["LN-H", "FTTH", "H", "internet", "100", "100", "; ".join(DEPARTMENTS), "01/01/2020"],
    ]
    result = await load(database, "links", links)
    assert result.errors == ()

    await decide(database, tien_lang_decision())
    shares = (
        "SELECT unit_id FROM link_share WHERE voided_at_ms IS NULL AND valid_from <= :day"
        " AND (valid_to IS NULL OR valid_to > :day)"
    )

    assert len(await database.read(shares, day=EVE)) == 12
    assert len(await database.read(shares, day=DAY)) == 1
