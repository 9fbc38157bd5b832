"""The fictional huyện Yên Hạ, thành phố Hải Đông: a second district, known by PCs per person.

120 PCs for the 120 officials of twelve departments, a ratio of 1; 336 for the 420 of twenty-one
communes, 0.8. Some stand in rooms where several people share them: they count in the ratio and make
nobody covered, so the two measures differ. No agent runs here: every holder is *unmatched*.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bench.district import District, Person, Target, Thing, Unit
from bench.names import Accounts, draw_name
from bench.organisation import COMMUNE_POSTS, DEPARTMENTS, department_post

SEED = 20181106
DISTRICT, OFFICES, COMMUNES_GROUP = "YH", "YH-CQ", "YH-XA"
SHARED_PER_DEPARTMENT = 1
PCS_PER_COMMUNE, SHARED_PER_COMMUNE = 16, 3
FIRST_NUMBER = 2001
COMMUNE_NAMES = (
    "Thị trấn Yên Hạ", "Xã Yên An", "Xã Yên Bắc", "Xã Yên Cường", "Xã Yên Dương", "Xã Yên Đại",
    "Xã Yên Giang", "Xã Yên Hòa", "Xã Yên Khê", "Xã Yên Lâm", "Xã Yên Lộc", "Xã Yên Mai",
    "Xã Yên Nam", "Xã Yên Phong Hạ", "Xã Yên Quang", "Xã Yên Sơn Hạ", "Xã Yên Tân", "Xã Yên Thắng Hạ",
    "Xã Yên Trung Hạ", "Xã Yên Vân", "Xã Yên Xuân",
)  # fmt: skip


def with_second_district(district: District, communes: int = 21, seed: int = SEED) -> District:
    """Return a district's papers with those of Yên Hạ beside them, under the same city."""
    city = next(unit.code for unit in district.units if unit.parent is None)
    second = make_second_district(city, communes, seed)
    return replace(
        district,
        units=(*district.units, *second.units),
        targets=(*district.targets, *second.targets),
        people=(*district.people, *second.people),
        things=(*district.things, *second.things),
    )


def make_second_district(city: str, communes: int = 21, seed: int = SEED) -> District:
    """Return huyện Yên Hạ with its first ``communes`` communes; it has papers and nothing else."""
    chance = random.Random(seed)
    departments = [(code.replace("TG-", "YH-"), name, n) for code, name, n in DEPARTMENTS]
    units = [
        Unit(DISTRICT, "Huyện Yên Hạ", "huyen", city),
        Unit(OFFICES, "Cơ quan chuyên môn huyện Yên Hạ", "khac", DISTRICT),
        Unit(COMMUNES_GROUP, "Các xã, thị trấn huyện Yên Hạ", "cum", DISTRICT),
    ]
    units += [Unit(code, name, "phong", OFFICES) for code, name, _ in departments]
    people, things = _Register(chance), list[Thing]()
    for code, _, count in departments:
        posts = [department_post(place) for place in range(count)]
        things += people.take_in(code, posts, count, SHARED_PER_DEPARTMENT)
    for number, name in enumerate(COMMUNE_NAMES[:communes], 1):
        code = f"YH-X{number:02d}"
        kind = "thi_tran" if name.startswith("Thị trấn") else "xa"
        units.append(Unit(code, name, kind, COMMUNES_GROUP))
        things += people.take_in(code, COMMUNE_POSTS, PCS_PER_COMMUNE, SHARED_PER_COMMUNE)
    source = "Mục tiêu {} máy tính trên mỗi cán bộ, công chức (dữ liệu mẫu)"
    return District(
        units=tuple(units),
        targets=(
            Target(OFFICES, (), 100, source.format("1"), "ratio"),
            Target(COMMUNES_GROUP, (), 80, source.format("0,8"), "ratio"),
        ),
        people=tuple(people.people),
        things=tuple(things),
        gear=(),
        lines=(),
        pcs=(),
    )


class _Register:
    """Takes people in unit by unit and gives their PCs numbers."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._accounts = Accounts()
        self._pcs = 0
        self.people: list[Person] = []

    def take_in(
        self, unit: str, posts: Sequence[tuple[str, str]], pcs: int, shared: int
    ) -> list[Thing]:
        """Add a unit's people; return its ``pcs`` PCs, the last ``shared`` of them held by the unit."""
        things: list[Thing] = []
        for place, (post, kind) in enumerate(posts):
            number = FIRST_NUMBER + len(self.people)
            name = draw_name(self._chance)
            account = self._accounts.make(name)
            has_pc = place < pcs - shared
            person = Person(
                code=f"CB{number}",
                name=name,
                unit=unit,
                kind=kind,
                post=post,
                phone=f"0900{number:06d}",
                mailbox=f"{account}@yenha.example",
                account=f"yh.{account}",
                true_state="unmatched" if has_pc else "no_pc",
            )
            self.people.append(person)
            if has_pc:
                things.append(self._pc(unit, person.code, "Phòng làm việc"))
        return things + [self._pc(unit, None, "Phòng dùng chung") for _ in range(shared)]

    def _pc(self, unit: str, person: str | None, place: str) -> Thing:
        self._pcs += 1
        return Thing(
            code=f"TS-YH-{self._pcs:04d}",
            tag=f"{40_000 + self._pcs}",
            kind="desktop",
            name="Máy vi tính để bàn",
            manufacturer="Dell Inc.",
            model="OptiPlex 3050",
            serial=f"YH{self._pcs:04d}{self._chance.randrange(16**4):04X}",
            price_dong=self._chance.randrange(110, 150) * 100_000,
            in_use_since=date(2017 + self._pcs % 6, 1 + self._pcs % 12, 10),
            unit=unit,
            person=person,
            place=place,
        )
