"""The fictional huyện Thanh Giang, thành phố Hải Đông: the same district for the same seed.

120 officials in twelve departments, all with a PC on the book; 420 in twenty-one communes, 378 with
one. What is wrong with it is planted here, with its truth, and nowhere else.
"""

import random
import uuid
from dataclasses import replace
from datetime import date, timedelta

from bench.district import District, Pc, Person, Target, Thing, Unit
from bench.names import Accounts, draw_name
from bench.network import make_network
from bench.organisation import (
    COMMUNE_POSTS,
    COMMUNES,
    DEPARTMENTS,
    PEOPLE_PER_COMMUNE,
    department_post,
    equipped_of,
)

SEED = 20261121
CITY, DISTRICT, OFFICES, COMMUNES_GROUP = "HD", "TG", "TG-CQ", "TG-XA"

# (manufacturer, product, kind on the book, chassis as SMBIOS says it)
MODELS = (
    ("Dell Inc.", "OptiPlex 3090", "desktop", "Desktop"),
    ("Dell Inc.", "Vostro 3888", "desktop", "Desktop"),
    ("HP", "HP ProDesk 400 G7", "desktop", "Desktop"),
    ("LENOVO", "ThinkCentre M70t", "desktop", "Desktop"),
    ("FPT Elead", "FPT Elead M515i", "desktop", "Desktop"),
    ("HP", "HP ProBook 440 G8", "laptop", "Notebook"),
    ("ASUSTeK COMPUTER INC.", "ExpertCenter E5 AiO", "all_in_one", "All in One"),
)
# Where a person's PC goes wrong, by (unit, place in the unit from 0). Everyone else with a PC on the
# book is verified, or silent or unmatched by the rhythm of ``_rhythm``.
PLANTED = {
    ("TG-KTHT", 3): "blank_serial",
    ("TG-KTHT", 4): "blank_serial",
    ("TG-KTHT", 5): "blank_serial",
    ("TG-LDTBXH", 2): "cloned_uuid",
    ("TG-LDTBXH", 3): "cloned_uuid",
    ("TG-NNPTNT", 1): "last_seen_nine_days_ago",
    ("TG-TCKH", 2): "others_account",
    ("TG-TCKH", 4): "others_account",
    ("TG-X02", 4): "others_account",
    ("TG-X03", 7): "over_price",
    ("TG-X01", 2): "expired_antivirus",
    ("TG-VP", 5): "no_agent",
    ("TG-GDDT", 6): "no_agent",
    ("TG-YT", 3): "gone_silent",
    ("TG-VP", 9): "gone_silent",
    ("TG-YT", 1): "clock_of_2009",
    ("TG-X01", 3): "hostname:[/red]",
    ("TG-X02", 3): "hostname:=cmd|' /C calc'!A0",
    ("TG-X02", 5): "hostname:<img src=x onerror=alert(1)>",
    ("TG-X03", 3): "hostname:MAY\x1b[31m\u202e03\nPC",
}
STATE_OF_FAULT = {
    "blank_serial": "unmatched",  # nothing on the machine says which booked one it is
    "cloned_uuid": "unmatched",  # two live machines with one identity: neither is believed
    "others_account": "contradicted",
    "no_agent": "unmatched",
    "gone_silent": "silent",
}
BLANK_SERIAL = "To be filled by O.E.M."
BLANK_UUID = "03000200-0400-0500-0006-000700080009"
CLONED_UUID = "4c4c4544-0051-3010-8052-b4c04f4d3232"


def make_district(communes: int = 21, seed: int = SEED) -> District:
    """Return the district with its first ``communes`` communes (1 to 21)."""
    chance = random.Random(seed)
    units = _units(communes)
    people = _people(communes, chance)
    pcs, pc_things = _equip(people, chance)
    gear, lines, net_things = make_network(communes)
    people = [_with_true_state(person, pcs) for person in people]
    retired, retired_thing, retired_pc = _retired()
    things = [*pc_things, retired_thing, *_office_things(communes), *net_things]
    return District(
        units=tuple(units),
        targets=tuple(_targets(communes)),
        people=(*people, retired),
        things=tuple(things),
        gear=tuple(gear),
        lines=tuple(lines),
        pcs=(*(pc for pc in pcs.values() if pc is not None), retired_pc, _stranger()),
    )


def commune_code(commune: int) -> str:
    """Return the code of the commune-th commune (from 0): TG-X01 ..."""
    return f"TG-X{commune + 1:02d}"


def _units(communes: int) -> list[Unit]:
    units = [
        Unit(CITY, "Thành phố Hải Đông", "thanh_pho", None),
        Unit(DISTRICT, "Huyện Thanh Giang", "huyen", CITY),
        Unit(OFFICES, "Cơ quan chuyên môn huyện Thanh Giang", "khac", DISTRICT),
        Unit(COMMUNES_GROUP, "Các xã, thị trấn huyện Thanh Giang", "cum", DISTRICT),
    ]
    units += [Unit(code, name, "phong", OFFICES) for code, name, _ in DEPARTMENTS]
    for commune, name in enumerate(COMMUNES[:communes]):
        kind = "thi_tran" if name.startswith("Thị trấn") else "xa"
        units.append(Unit(commune_code(commune), name, kind, COMMUNES_GROUP))
    return units


def _targets(communes: int) -> list[Target]:
    district = "Mục tiêu huyện: 100 % CBCCVC được trang bị máy tính (dữ liệu mẫu)"
    commune = "Mục tiêu cấp xã: 90 % cán bộ, công chức được trang bị máy tính (dữ liệu mẫu)"
    offices = [OFFICES, *(code for code, _, _ in DEPARTMENTS)]
    below = [COMMUNES_GROUP, *(commune_code(n) for n in range(communes))]
    return [Target(code, (), 100, district) for code in offices] + [
        Target(code, ("can_bo", "cong_chuc"), 90, commune) for code in below
    ]


def _people(communes: int, chance: random.Random) -> list[Person]:
    accounts = Accounts()
    people: list[Person] = []

    def add(unit: str, post: str, kind: str, name: str) -> None:
        number = len(people) + 1
        account = accounts.make(name)
        people.append(
            Person(
                code=f"CB{number:04d}",
                name=name,
                unit=unit,
                kind=kind,
                post=post,
                phone=f"0900000{number:03d}",
                mailbox=f"{account}@thanhgiang.example",
                account=account,
                true_state="verified",
            )
        )

    for unit, _, count in DEPARTMENTS:
        names = _draw_names(count, chance)
        if unit == "TG-VP":  # two people of one full name in one office
            names[7] = names[6] = "Nguyễn Văn Hùng"
        for place, name in enumerate(names):
            add(unit, *department_post(place), name)
    for commune in range(communes):
        names = _draw_names(PEOPLE_PER_COMMUNE, chance)
        if commune == 1:
            names[13] = names[12] = "Trần Thị Hương"
        for (post, kind), name in zip(COMMUNE_POSTS, names, strict=True):
            add(commune_code(commune), post, kind, name)
    return people


def _draw_names(count: int, chance: random.Random) -> list[str]:
    return [draw_name(chance) for _ in range(count)]


def _fault_of(unit: str, place: int) -> str | None:
    """Return what is wrong with the PC of the place-th person of a unit, None when nothing is."""
    planted = PLANTED.get((unit, place))
    if planted is not None:
        return planted
    if unit.startswith("TG-X"):
        if place == 8:
            return "no_agent"
        if place == 11 and int(unit[-2:]) % 3 == 0:
            return "gone_silent"
        if place == 14 and int(unit[-2:]) % 4 == 0:
            return "no_agent"
    return None


def _equip(people: list[Person], chance: random.Random) -> tuple[dict[str, Pc | None], list[Thing]]:
    """Return {person code: the PC or None for one without agent} and the PCs on the book.

    A person who has no PC at all is not among the keys.
    """
    pcs: dict[str, Pc | None] = {}
    things: list[Thing] = []
    places: dict[str, int] = {}
    for person in people:
        place = places[person.unit] = places.get(person.unit, -1) + 1
        if person.unit.startswith("TG-X") and place >= equipped_of(int(person.unit[-2:]) - 1):
            continue
        fault = _fault_of(person.unit, place)
        number = len(things) + 1
        model = MODELS[chance.choices(range(len(MODELS)), (20, 15, 18, 15, 12, 14, 6))[0]]
        serial = f"{chance.choice('CDFGHJ')}{number:04d}{chance.randrange(16**4):04X}"
        things.append(_pc_thing(person, number, model, serial, fault, chance))
        pcs[person.code] = (
            None
            if fault == "no_agent"
            else _make_pc(person, people, number, model, serial, fault, chance)
        )
    return pcs, things


def _pc_thing(
    person: Person,
    number: int,
    model: tuple[str, str, str, str],
    serial: str,
    fault: str | None,
    chance: random.Random,
) -> Thing:
    price = chance.randrange(110, 201) * 100_000
    if number % 23 == 0:
        price = chance.randrange(70, 100) * 100_000  # below 10 million: a tool, not a fixed asset
    if number == 17:
        price = 10_000_000  # the very boundary, which is a fixed asset
    if fault == "over_price":
        price = 24_000_000
    since = date(chance.randrange(2016, 2026), chance.randrange(1, 13), chance.randrange(1, 29))
    if number == 5:
        since = date(2022, 4, 5)  # 05/04/2022 reads as a day in April, never in May
    return Thing(
        code=f"TS-PC-{number:04d}",
        tag=f"{number:05d}",
        kind=model[2],
        name=f"Máy vi tính {model[1]}",
        manufacturer=model[0],
        model=model[1],
        serial=serial,
        price_dong=price,
        in_use_since=since,
        unit=person.unit,
        person=person.code,
        place="Phòng làm việc",
    )


def _make_pc(
    person: Person,
    people: list[Person],
    number: int,
    model: tuple[str, str, str, str],
    serial: str,
    fault: str | None,
    chance: random.Random,
) -> Pc:
    machine_uuid = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    pc = Pc(
        install_id=f"{chance.getrandbits(128):032x}",
        hostname=f"{person.unit}-{number:03d}",
        unit=person.unit,
        manufacturer=model[0],
        product=model[1],
        chassis=model[3],
        serial=serial,
        uuid=machine_uuid,
        board_serial=f"MB{number:05d}{chance.randrange(16**5):05X}",
        disk_serial=f"S4{chance.randrange(16**10):010X}",
        mac=f"02:4b:4b:{number >> 8:02x}:{number & 255:02x}:{chance.randrange(256):02x}",
        memory_gib=chance.choice((4, 8, 8, 8, 16)),
        account=person.account,
        true_fault=fault,
    )
    match fault:
        case "blank_serial":
            return replace(pc, serial=BLANK_SERIAL, uuid=BLANK_UUID, board_serial="Default string")
        case "cloned_uuid":
            return replace(pc, serial="CLONE-22", uuid=CLONED_UUID, board_serial="CLONE-22-MB")
        case "last_seen_nine_days_ago":
            return replace(pc, first_working_day=12, last_working_day=9)
        case "others_account":
            return replace(pc, account=_somebody_else(person, people).account)
        case "gone_silent":
            return replace(pc, first_working_day=20, last_working_day=14)
        case "clock_of_2009":  # a battery-less board that woke up seventeen years ago
            return replace(pc, clock_error=timedelta(days=-17 * 365))
        case "expired_antivirus":
            return replace(pc, antivirus="expired")
        case str() if fault.startswith("hostname:"):
            return replace(pc, hostname=fault.removeprefix("hostname:"))
    return pc


def _somebody_else(person: Person, people: list[Person]) -> Person:
    """Return a colleague of the same unit, another one for each person."""
    mates = [mate for mate in people if mate.unit == person.unit]
    return mates[(mates.index(person) + 1) % len(mates)]


def _with_true_state(person: Person, pcs: dict[str, Pc | None]) -> Person:
    if person.code not in pcs:
        return replace(person, true_state="no_pc")
    pc = pcs[person.code]
    fault = "no_agent" if pc is None else pc.true_fault
    return replace(person, true_state=STATE_OF_FAULT.get(fault or "", "verified"))


def _retired() -> tuple[Person, Thing, Pc]:
    """A person who left and still holds a PC that is on every day; in nobody's count."""
    person = Person(
        code="CB9001", name="Phạm Đức Ân", unit="TG-NV", kind="cong_chuc", post="Chuyên viên",
        phone="0900000901", mailbox="an.pd.cu@thanhgiang.example", account="an.pd.cu",
        true_state="left", left_on=date(2026, 6, 1),
    )  # fmt: skip
    thing = Thing(
        code="TS-PC-9001", tag="09001", kind="desktop", name="Máy vi tính OptiPlex 3090",
        manufacturer="Dell Inc.", model="OptiPlex 3090", serial="RETIRED9001",
        price_dong=13_500_000, in_use_since=date(2021, 9, 10), unit=person.unit, person=person.code,
        place="Phòng làm việc",
    )  # fmt: skip
    pc = Pc(
        install_id="9e" * 16, hostname="TG-NV-CU", unit=person.unit, manufacturer="Dell Inc.",
        product="OptiPlex 3090", chassis="Desktop", serial=thing.serial,
        uuid="0d0c7a5e-2f39-4a52-8f7d-95b9f0a7c901", board_serial="MB90010A1B2",
        disk_serial="S49001A1B2C3", mac="02:4b:4b:fe:00:01", memory_gib=4, account=person.account,
        true_fault="retired_holder",
    )  # fmt: skip
    return person, thing, pc


def _stranger() -> Pc:
    """A machine that is seen every day and stands in no book."""
    return Pc(
        install_id="5e" * 16,
        hostname="MAY-KHONG-SO",
        unit="TG-VP",
        manufacturer="Gigabyte Technology Co., Ltd.",
        product="H410M H V3",
        chassis="Desktop",
        serial="NOTBOOKED-01",
        uuid="b1c9a5b0-6b7d-4a39-9a0a-3d1f6f0c2a11",
        board_serial="SN200812345",
        disk_serial="WDZZ00000001",
        mac="02:4b:4b:ff:00:01",
        memory_gib=8,
        account="khach",
        true_fault="not_booked",
    )


def _office_things(communes: int) -> list[Thing]:
    """Shared equipment: printers one to three people, and each commune's one-stop desk."""
    things: list[Thing] = []

    def add(
        unit: str, kind: str, name: str, maker: str, model: str, price: int, place: str
    ) -> None:
        number = len(things) + 1
        things.append(
            Thing(
                code=f"TS-DC-{number:04d}",
                tag=f"{20_000 + number}",
                kind=kind,
                name=name,
                manufacturer=maker,
                model=model,
                serial=f"KM{number:06d}",
                price_dong=price,
                in_use_since=date(2020 + number % 6, 1 + number % 12, 15),
                unit=unit,
                place=place,
            )  # fmt: skip
        )

    for unit, _, count in DEPARTMENTS:
        for _ in range(-(-count // 3)):
            add(unit, "printer", "Máy in laser", "Canon", "LBP 2900", 4_500_000, "Phòng làm việc")
    for commune in range(communes):
        unit, desk = commune_code(commune), "Bộ phận Một cửa"
        for _ in range(-(-PEOPLE_PER_COMMUNE // 3)):
            add(unit, "printer", "Máy in laser", "Canon", "LBP 2900", 4_500_000, "Phòng làm việc")
        for _ in range(2):
            add(unit, "desktop", "Máy vi tính một cửa", "HP", "HP ProDesk 400 G7", 14_500_000, desk)
        add(unit, "printer", "Máy in một cửa", "HP", "LaserJet Pro M404dn", 6_900_000, desk)
        copier = (35 + 5 * (commune % 16)) * 1_000_000
        add(unit, "copier", "Máy photocopy", "Ricoh", "IM 2702", copier, desk)
        add(unit, "scanner", "Máy quét tài liệu", "Epson", "DS-770 II", 12_900_000, desk)
        add(
            unit,
            "citizen_pc",
            "Máy tính cho công dân",
            "Dell Inc.",
            "Vostro 3888",
            13_000_000,
            desk,
        )
        if commune < 15:
            add(unit, "kiosk", "Máy tra cứu thủ tục", "VNPT", "KIOSK-32", 45_000_000, desk)
        for _ in range(2):
            add(unit, "camera", "Camera giám sát", "Hikvision", "DS-2CD1043", 2_800_000, desk)
    return things
