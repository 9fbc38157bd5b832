"""The sample district against the norms: its dear desktop, and the posts nobody has mapped."""

from collections import Counter
from datetime import date

from bench.thanh_giang import make_district
from kiemke.server.domain import rules_dated
from kiemke.server.domain.norms_posts import Place, Post, PostGroups
from kiemke.server.domain.norms_rules import RULES_FILE, read_rules

DISTRICT = make_district()
NUMBERS = {unit.code: number for number, unit in enumerate(DISTRICT.units, 1)}


def groups_of_people() -> dict[str, str | None]:
    """Return the group of every official by code, None where the post is in none."""
    rules = rules_dated.RuleHistory(rules_dated.shipped(RULES_FILE)).on(date(2026, 11, 21), 1)
    tree = {
        NUMBERS[unit.code]: Place(unit.type, NUMBERS[unit.parent] if unit.parent else None)
        for unit in DISTRICT.units
    }
    posts = PostGroups(rules, read_rules(rules).groups, tree)
    found = {}
    for person in DISTRICT.people:
        group = posts.best([Post(person.post, person.kind, NUMBERS[person.unit])])
        found[person.code] = group.name if group else None
    return found


def test_the_desktop_of_24_million_is_with_somebody_of_group_viii() -> None:
    (dear,) = [thing for thing in DISTRICT.things if thing.price_dong == 24_000_000]

    assert dear.kind == "desktop" and dear.person is not None
    assert groups_of_people()[dear.person] == "VIII"


def test_each_commune_has_one_secretary_and_six_of_group_vii() -> None:
    groups = groups_of_people()
    communes = {unit.code for unit in DISTRICT.units if unit.type in ("xa", "thi_tran")}
    counted = Counter(groups[person.code] for person in DISTRICT.people if person.unit in communes)

    assert counted == {"VI": 21, "VII": 21 * 6, "VIII": 21 * 13}


def test_what_the_decision_does_not_name_at_a_district_is_unknown() -> None:
    groups = groups_of_people()
    unknown = {person.post for person in DISTRICT.people if groups[person.code] is None}

    assert unknown == {"Trưởng phòng", "Phó Trưởng phòng", "Viên chức"}
