"""What a post may have: its group by its words, and people and offices measured against the norms."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.domain import rules_dated
from kiemke.server.domain.norms_judge import Held, Judge, NormRow, Person
from kiemke.server.domain.norms_posts import Place, Post, PostGroups, parts_of
from kiemke.server.domain.norms_rules import RULES_FILE, allowed_permille, read_rules
from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.rules_dated import DayRules, RuleHistory, Ruling

TODAY, BEFORE = date(2026, 11, 21), date(2025, 6, 30)
KNOWN_MS = 1
PROVINCE, DISTRICT, COMMUNE, OFFICE_OF_COMMUNE, OFFICE_OF_PROVINCE, DISTRICT_ROOM, CITY = range(
    1, 8
)
TREE = {
    PROVINCE: Place("tinh", None),
    DISTRICT: Place("huyen", PROVINCE),
    COMMUNE: Place("xa", DISTRICT),
    OFFICE_OF_COMMUNE: Place("phong", COMMUNE),
    OFFICE_OF_PROVINCE: Place("phong", PROVINCE),
    DISTRICT_ROOM: Place("phong", DISTRICT),
    CITY: Place("thanh_pho", PROVINCE),
}


def rules_on(day: date = TODAY, *rows: Ruling) -> DayRules:
    return RuleHistory((*rules_dated.shipped(RULES_FILE), *rows)).on(day, KNOWN_MS)


def row(name: str, value: object, subject: str = "") -> Ruling:
    return Ruling(name, subject, value, None, date(2020, 1, 1))


def posts_on(day: date = TODAY, *rows: Ruling) -> PostGroups:
    rules = rules_on(day, *rows)
    return PostGroups(rules, read_rules(rules).groups, TREE)


def judge(
    people: Sequence[Person], held: Sequence[Held], day: date = TODAY, *rows: Ruling
) -> list[NormRow]:
    rules = rules_on(day, *rows)
    parents = {unit: place.parent_id for unit, place in TREE.items()}
    measured = Judge(
        read_rules(rules),
        posts_on(day, *rows).best,
        lambda unit: allowed_permille(rules, unit, parents),
    )
    return measured.rows(people, held)


def person(
    words: str | None, number: int = 1, unit: int = COMMUNE, kind: str = "cong_chuc"
) -> Person:
    return Person(number, f"P{number}", f"Person {number}", unit, (Post(words, kind, unit),))


def thing(
    kind: str, price: int | None = 12_000_000, official: int | None = 1, number: int = 1
) -> Held:
    return Held(number, f"A{number}", kind, price, COMMUNE, official)


def of(rows: list[NormRow], item: str, official: int | None = 1) -> NormRow:
    (found,) = [r for r in rows if r.item == item and r.official_id == official]
    return found


@pytest.mark.parametrize(
    ("words", "kind", "unit", "group"),
    [
        ("Bí thư Đảng ủy", "can_bo", COMMUNE, "VI"),
        ("BI THU DANG UY XA", "can_bo", COMMUNE, "VI"),
        ("Phó Bí thư Đảng uỷ", "can_bo", COMMUNE, "VII"),
        ("Chủ tịch UBND", "can_bo", COMMUNE, "VII"),
        ("Phó Chủ tịch Hội đồng nhân dân xã", "can_bo", COMMUNE, "VII"),
        ("Chủ tịch Ủy ban MTTQ", "can_bo", COMMUNE, "VII"),
        ("Trưởng phòng", "cong_chuc", OFFICE_OF_COMMUNE, "VIII"),
        ("Trưởng phòng", "cong_chuc", OFFICE_OF_PROVINCE, "VII"),
        ("Chuyên viên chính", "cong_chuc", OFFICE_OF_COMMUNE, "VII"),
        ("Chuyên viên", "cong_chuc", DISTRICT_ROOM, "VIII"),
        ("Tư pháp - hộ tịch", "cong_chuc", COMMUNE, "VIII"),
        (None, "hop_dong", CITY, "VIII"),
        ("Bí thư Đoàn Thanh niên", "can_bo", COMMUNE, "VIII"),
        ("Phó Chánh Văn phòng", "can_bo", COMMUNE, None),
        ("Trưởng phòng", "cong_chuc", DISTRICT_ROOM, None),
        ("Bí thư Đảng ủy", "can_bo", PROVINCE, None),
        (None, "can_bo", COMMUNE, None),
    ],
)
def test_a_post_is_in_the_group_its_words_kind_and_level_say(
    words: str | None, kind: str, unit: int, group: str | None
) -> None:
    """A post that fits no pattern is in none: it is listed, never guessed."""
    found = posts_on().best([Post(words, kind, unit)])

    assert (found.name if found else None) == group


def test_several_posts_take_the_highest_norm_in_one_cell_or_in_many() -> None:
    groups = posts_on()
    together = groups.best(
        [Post("Phó Bí thư Đảng ủy kiêm Chủ tịch HĐND, Bí thư Đảng ủy", "can_bo", 3)]
    )
    apart = groups.best([Post("Chuyên viên", "cong_chuc", 3), Post("Bí thư Đảng ủy", "can_bo", 3)])

    assert together is not None and apart is not None
    assert (together.name, apart.name) == ("VI", "VI")
    assert parts_of("Trưởng phòng kiêm Bí thư; Kiểm soát viên") == (
        "truong phong", "bi thu", "kiem soat vien",
    )  # fmt: skip


def test_a_city_below_a_province_is_a_districts_equal() -> None:
    levels = {unit: posts_on().level(unit) for unit in TREE}

    assert levels[CITY] == levels[DISTRICT_ROOM] == "district"
    assert (levels[PROVINCE], levels[OFFICE_OF_COMMUNE]) == ("province", "commune")


def test_an_office_maps_its_own_posts_by_a_row() -> None:
    mine = row("norm_posts", [{"posts": ["Trưởng phòng*"], "levels": ["district"]}], "VIII")

    found = posts_on(TODAY, mine).best([Post("Trưởng phòng Nội vụ", "cong_chuc", DISTRICT_ROOM)])

    assert found is not None and found.name == "VIII"


@pytest.mark.parametrize(
    "wrong", [{"post": ["x"]}, {}, [], {"posts": "x"}, {"kinds": [1]}], ids=str
)
def test_a_pattern_that_would_fit_everybody_by_a_slip_is_refused(wrong: object) -> None:
    with pytest.raises(UnusableRule, match="norm_posts"):
        posts_on(TODAY, row("norm_posts", [wrong], "VIII"))


@pytest.mark.parametrize(
    ("name", "value", "subject"),
    [
        ("norm_group", {"rank": 1}, "IX"),
        ("norm_group", {"rank": -1, "items": []}, "IX"),
        ("norm_shared", {"kinds": ["printer"], "per": 0}, "printer"),
        ("norm_excess_permille", {"head": 150}, ""),
        ("norm_had_in", "in_use", ""),
        ("norm_allowed_permille", "much", ""),
    ],
)
def test_a_row_of_another_form_is_refused_by_name(name: str, value: object, subject: str) -> None:
    with pytest.raises(UnusableRule, match=name):
        judge([person("Chuyên viên")], [thing("desktop", 10**8)], TODAY, row(name, value, subject))


def test_a_desktop_of_24_million_in_group_viii_needs_the_province() -> None:
    """20 million and 15 % is 23: the head may not decide it; 30 % is 26: the province may."""
    pc = of(judge([person("Chuyên viên")], [thing("desktop", 24_000_000)]), "pc")

    assert (pc.group, pc.entitled, pc.has, pc.lack, pc.over) == ("VIII", 1, 1, 0, 0)
    assert [(dear.over_dong, dear.decider) for dear in pc.over_price] == [(4_000_000, "province")]
    assert pc.findings == ("over_price",)


@pytest.mark.parametrize(
    ("price", "decider"),
    [
        (20_000_000, None),
        (20_000_001, "head"),
        (23_000_000, "head"),
        (23_000_001, "province"),
        (26_000_000, "province"),
        (26_000_001, "beyond"),
    ],
)
def test_who_may_decide_depends_on_how_much_dearer_it_is(price: int, decider: str | None) -> None:
    pc = of(judge([person("Chuyên viên")], [thing("laptop", price)]), "pc")

    assert [dear.decider for dear in pc.over_price] == ([decider] if decider else [])


def test_what_a_paper_allowed_a_unit_and_those_below_it_is_not_over_price() -> None:
    allowed = row("norm_allowed_permille", 200, f"unit:{DISTRICT}")

    decided = judge([person("Chuyên viên")], [thing("desktop", 24_000_000)], TODAY, allowed)

    assert of(decided, "pc").over_price == ()


def test_a_secretary_may_have_a_desktop_a_laptop_and_a_printer() -> None:
    held = [thing("all_in_one", 20_000_000), thing("tablet", 25_000_000, number=2)]
    rows = judge([person("Bí thư Đảng ủy", kind="can_bo")], held)

    told = {r.item: (r.entitled, r.has, r.lack, r.over) for r in rows if r.official_id}
    assert told == {"desktop": (1, 1, 0, 0), "laptop": (1, 1, 0, 0), "printer": (1, 0, 1, 0)}
    assert [r.over_price for r in rows if r.over_price] == []


def test_a_second_pc_is_over_the_norm() -> None:
    rows = judge([person("Chuyên viên")], [thing("desktop"), thing("laptop", number=2)])

    assert of(rows, "pc").findings == ("over",)


def test_an_unknown_post_is_listed_and_its_pc_judged_by_nobody() -> None:
    rows = judge([person("Cộng tác viên", kind="can_bo")], [thing("desktop", 90_000_000)])

    (unknown,) = [r for r in rows if r.official_id]
    assert (unknown.post, unknown.group, unknown.item) == ("Cộng tác viên", None, None)
    assert unknown.findings == ("unknown_post",)


@pytest.mark.parametrize(
    ("staff", "printers", "scanners"), [(1, 1, 1), (3, 1, 1), (4, 2, 1), (16, 6, 2)]
)
def test_shared_things_are_rounded_up(staff: int, printers: int, scanners: int) -> None:
    rows = judge([person("Chuyên viên", n) for n in range(1, staff + 1)], [])

    assert of(rows, "printer", None).entitled == printers
    assert of(rows, "scanner", None).entitled == scanners


def test_the_shared_printers_are_for_group_viii_alone() -> None:
    people = [person("Chuyên viên"), person("Chủ tịch UBND", 2), person("Lạ", 3, kind="can_bo")]

    rows = judge(people, [])

    assert of(rows, "printer", None).staff == 1
    assert of(rows, "scanner", None).staff == 3
    assert of(rows, "printer", 2).entitled == 1


def test_a_printer_at_a_clerks_desk_is_the_offices() -> None:
    rows = judge([person("Chuyên viên")], [thing("printer", 14_000_000)])

    shared = of(rows, "printer", None)
    assert (shared.has, shared.over) == (1, 0)
    assert [dear.over_dong for dear in shared.over_price] == [1_000_000]


def test_a_multifunction_device_takes_the_place_of_both_its_functions() -> None:
    multi = thing("multifunction", 35_000_000, None)
    beside = [thing("printer", official=None, number=2), thing("scanner", official=None, number=3)]

    rows = judge([person("Chuyên viên")], [multi, *beside])

    printer, scanner = of(rows, "printer", None), of(rows, "scanner", None)
    assert (printer.has, printer.over) == (2, 1)  # no separate printer beside it
    assert (scanner.has, scanner.over) == (2, 1)  # it is limited as the dearer of the two
    assert printer.over_price == scanner.over_price == ()


def test_a_multifunction_device_may_cost_the_sum_and_no_more() -> None:
    rows = judge([person("Chuyên viên")], [thing("multifunction", 35_000_001, None)])

    dear = [r.over_price for r in rows if r.over_price]
    assert [(d.max_dong, d.decider) for (d,) in dear] == [(35_000_000, "head")]


def test_a_multifunction_device_of_a_chairman_is_his_printer_and_the_offices_scanner() -> None:
    rows = judge([person("Chủ tịch UBND", kind="can_bo")], [thing("multifunction", 36_000_000)])

    assert (of(rows, "printer").has, of(rows, "scanner", None).has) == (1, 1)
    assert sum(len(r.over_price) for r in rows) == 1


def test_before_july_2025_the_older_decision_holds_and_says_no_number_of_printers() -> None:
    held = [thing("desktop", 16_000_000), thing("printer", 11_000_000, None, 2)]
    rows = judge([person("Chuyên viên")], held, BEFORE)

    pc, printer = of(rows, "pc"), of(rows, "printer", None)
    assert [dear.max_dong for dear in pc.over_price] == [15_000_000]
    assert (printer.entitled, printer.lack, printer.over) == (None, None, None)
    assert [dear.max_dong for dear in printer.over_price] == [10_000_000]
    laptop = judge([person("Chuyên viên")], [thing("laptop", 40_000_000)], BEFORE)
    assert of(laptop, "pc").over_price == ()


def test_a_thing_without_a_price_is_counted_and_said_not_judged() -> None:
    pc = of(judge([person("Chuyên viên")], [thing("desktop", None)]), "pc")

    assert (pc.unpriced, pc.over_price, pc.findings) == (1, (), ())


KINDS = ["desktop", "laptop", "printer", "scanner", "copier", "shredder", "multifunction", "switch"]
POSTS = ["Bí thư Đảng ủy", "Chủ tịch UBND", "Chuyên viên", "Lạ"]


@given(
    posts=st.lists(st.sampled_from(POSTS), max_size=40),
    held=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 40)), max_size=40),
)
def test_nobody_both_lacks_and_has_too_much_of_one_item(
    posts: list[str], held: list[tuple[str, int]]
) -> None:
    people = [person(words, number, kind="can_bo") for number, words in enumerate(posts, 1)]
    things = [
        thing(kind, official=holder or None, number=number)
        for number, (kind, holder) in enumerate(held, 1)
    ]

    for found in judge(people, things):
        if found.item is not None:
            assert found.entitled is not None and found.lack is not None and found.over is not None
            assert min(found.lack, found.over) == 0
            assert found.lack <= found.entitled and found.over <= found.has
