"""PCs that must be found and count nowhere: made up on one PC, copied, private, of the retired; docks.

Planted beside the district of ``thanh_giang.py``; ``compare_strangers`` says what was not found.
"""

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.district import District, Pc

MADE_UP, MADE_UP_UNIT = 40, "TG-NV"
HOST = "mot-may"
DOCKS = ("00:50:b6:10:20:30", "00:50:b6:10:20:31", "00:50:b6:10:20:32")
PRIVATE_UNITS = ("TG-YT", "TG-TP")

Record = Mapping[str, Any]


def plant(district: District, seed: int) -> District:
    """Return the district with forty made-up PCs, two private laptops and a pool of docks."""
    chance = random.Random(seed + 40)
    known = [pc for pc in district.pcs if pc.true_fault is None]
    docked = 0
    pcs = list(district.pcs)
    for place, pc in enumerate(pcs):
        if pc.chassis == "Notebook" and pc.true_fault is None:
            pcs[place] = replace(pc, dock=DOCKS[docked % len(DOCKS)])
            docked += 1
    made_up = [_made_up(number, chance, known) for number in range(MADE_UP)]
    private = [_private(unit, chance) for unit in PRIVATE_UNITS]
    return replace(district, pcs=(*pcs, *made_up, *private))


def _hex(chance: random.Random, digits: int) -> str:
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def _made_up(number: int, chance: random.Random, known: Sequence[Pc]) -> Pc:
    """A PC that does not exist: plausible hardware of its own, sent from the one host with the rest."""
    like = chance.choice(known)
    return replace(
        like,
        install_id=_hex(chance, 32), hostname=f"{MADE_UP_UNIT}-M{number:02d}", unit=MADE_UP_UNIT,
        serial=f"M{_hex(chance, 7).upper()}",
        uuid=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        board_serial=f"MB{_hex(chance, 10).upper()}", disk_serial=f"S5{_hex(chance, 10).upper()}",
        mac=f"1c:69:7a:{number:02x}:{chance.randrange(256):02x}:{chance.randrange(256):02x}",
        memory_gib=chance.choice((4, 8, 16)), first_working_day=3, dock=None, host=HOST,
        true_fault="made_up",
    )  # fmt: skip


def _private(unit: str, chance: random.Random) -> Pc:
    """Somebody's own laptop, brought along with the office's token: on no book."""
    return Pc(
        install_id=_hex(chance, 32), hostname=f"LAPTOP-{_hex(chance, 6).upper()}", unit=unit,
        manufacturer="Acer", product="Aspire 5", chassis="Notebook",
        serial=f"NX{_hex(chance, 8).upper()}",
        uuid=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        board_serial=f"NB{_hex(chance, 8).upper()}", disk_serial=f"NVME{_hex(chance, 8).upper()}",
        mac=f"02:4b:4b:fd:{chance.randrange(256):02x}:01", memory_gib=8, account="rieng",
        true_fault="private",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server says: items of GET /findings, /sources, /machines, /reconcile, /shared-adapters."""

    findings: Sequence[Record]
    sources: Sequence[Record]
    machines: Sequence[Record]
    differences: Sequence[Record]
    adapters: Sequence[Record]


def compare_strangers(district: District, seen: Seen) -> list[str]:
    """Return a sentence for each planted stranger that is not found with evidence, or counts."""
    return [
        *_compare_made_up(district, seen),
        *_compare_copies(district, seen),
        *_compare_unbooked(district, seen),
        *_compare_docks(district, seen),
    ]


def count_strangers(district: District) -> dict[str, int]:
    """Return how many of each were planted."""
    faults = ("made_up", "cloned_uuid", "private", "not_booked", "retired_holder")
    counts = {fault: len(_named(district, fault)) for fault in faults}
    return {**counts, "docks": len({pc.dock for pc in district.pcs if pc.dock})}


def _named(district: District, fault: str) -> set[str]:
    return {pc.hostname for pc in district.pcs if pc.true_fault == fault}


def _compare_made_up(district: District, seen: Seen) -> list[str]:
    true = _named(district, "made_up")
    found: set[str] = set()
    for finding in seen.findings:
        if finding["kind"] == "one_host":
            found |= set((finding["evidence"] or {}).get("hostnames", ()))
    free = {s["hostname"] for s in seen.sources if s["state"] in ("approved", "pending")}
    wrong = [f"made up and not found: {name}" for name in sorted(true - found)]
    wrong += [f"honest and taken for made up: {name}" for name in sorted(found - true)]
    return wrong + [f"made up and not set aside: {name}" for name in sorted(true & free)]


def _compare_copies(district: District, seen: Seen) -> list[str]:
    true = _named(district, "cloned_uuid")
    words = " ".join(f["detail"] for f in seen.findings if f["kind"] == "cloned_identity")
    aside = {s["hostname"] for s in seen.sources if s["state"] == "quarantined"}
    wrong = [f"a copy that no finding names: {name}" for name in sorted(true) if name not in words]
    return wrong + [f"a copy that was not set aside: {name}" for name in sorted(true - aside)]


def _compare_unbooked(district: District, seen: Seen) -> list[str]:
    unbooked = {d["hostname"] for d in seen.differences if d["kind"] == "not_booked"}
    true = _named(district, "private") | _named(district, "not_booked")
    matched = {m["hostname"] for m in seen.machines if m["asset"] is not None}
    wrong = [f"on no book and not listed: {name}" for name in sorted(true - unbooked)]
    strange = true | _named(district, "made_up")
    wrong += [f"counts although on no book: {name}" for name in sorted(strange & matched)]
    left = {d["official"]["code"] for d in seen.differences if d["kind"] == "holder_left"}
    gone = {person.code for person in district.people if person.left_on is not None}
    return wrong + [
        f"left and still holds a PC, not listed: {code}" for code in sorted(gone - left)
    ]


def _compare_docks(district: District, seen: Seen) -> list[str]:
    carried = [pc.dock for pc in district.pcs if pc.dock]
    true = {mac.replace(":", "").upper() for mac in carried if carried.count(mac) > 1}
    found = {row["mac"] for row in seen.adapters}
    wrong = [f"a dock that is not listed: {mac}" for mac in sorted(true - found)]
    return wrong + [f"no dock, but listed: {mac}" for mac in sorted(found - true)]
