"""Recorded devices of many makers: how much of what is known of them identification finds."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kiemke.collectors import identify as identify_module
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.identify import Identity, identify
from kiemke.collectors.identify_rules import Catalogue
from tests.support.snmp_recordings import RecordedReader, read_recording

# Our fact, and what the corpus calls it.
FACTS = {"model": "hardware", "version": "version", "serial": "serial"}
EVERYTHING = ("0.", "1.", "2.")
# What the corpus calls a type, and the kinds that do not contradict it; others are too wide to be held.
KINDS: dict[str, set[str | None]] = {
    "power": {"ups", "pdu", "power", "sensor"},
    "printer": {"printer", "copier"},
    "firewall": {"firewall", "appliance"},
    "loadbalancer": {"load_balancer"},
    "camera": {"camera"},
    "wireless": {"access_point", "radio_link", "wireless_controller", "modem", "server", None},
    "environment": {"sensor", None},
    "storage": {"nas", "storage", "server"},
}
UNSAID = ("<private>", "Generic ", "####")


def is_same(expected: object, given: object) -> bool:
    """Equal but for case and punctuation, or one holds the other (three characters or more)."""
    one, other = (re.sub(r"[^0-9a-z]+", "", str(text).casefold()) for text in (expected, given))
    short, long = sorted((one, other), key=len)
    return one == other or (len(short) >= 3 and short in long)


async def test_most_models_versions_and_serials_of_recorded_devices_are_found(
    shared_corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recall at least 90 %, precision at least 95 %; ports, their names and speeds nearly all.

    With the general rules alone, as for makers nobody described, little is told that is wrong: what the
    corpus calls a model is sometimes a product number, so that one in twenty differs.
    """
    folder = shared_corpora / "snmp"
    if not folder.is_dir():
        pytest.skip("no snmp recordings in ../shared/corpora")
    wanted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    given: Counter[str] = Counter()
    general = Catalogue(("general",))
    implausible = []
    for line in (folder / "expected.jsonl").read_text("utf-8").splitlines():
        known = json.loads(line)
        path = folder / "rec" / f"{known['name']}.snmprec"
        reader = RecordedReader(read_recording(path, EVERYTHING))
        found = await identify(reader, Deadline(60))
        if found.kind not in KINDS.get(str(known.get("type")), {found.kind}):
            implausible.append((known["name"], found.kind))
        with monkeypatch.context() as patched:
            patched.setattr(identify_module, "product_of", lambda _: "")
            plain = await identify(reader, Deadline(60), known=general, with_ports=False)
        for fact, key in FACTS.items():
            if known.get(key) and not str(known[key]).startswith(UNSAID):
                said = getattr(found, fact)
                wanted[fact] += 1
                given[fact] += said is not None
                right[fact] += said is not None and is_same(known[key], said)
                told = getattr(plain, fact)
                given[f"plain {fact}"] += told is not None
                right[f"plain {fact}"] += told is not None and is_same(known[key], told)
        count_ports(known.get("ports") or [], found, wanted, right)

    assert implausible == []
    recall = {fact: right[fact] / wanted[fact] for fact in wanted}
    precision = {fact: right[fact] / given[fact] for fact in FACTS}
    assert {fact: share for fact, share in recall.items() if share < 0.94} == {}
    assert {fact: share for fact, share in precision.items() if share < 0.95} == {}
    plainly = {fact: right[f"plain {fact}"] / given[f"plain {fact}"] for fact in FACTS}
    assert {fact: share for fact, share in plainly.items() if share < 0.95} == {}
    assert recall["port"] >= 0.99
    assert recall["port name"] >= 0.99
    assert recall["port speed"] >= 0.99


def count_ports(
    ports: list[dict[str, Any]], found: Identity, wanted: Counter[str], right: Counter[str]
) -> None:
    """Count the known ports, and how many are there by index, name and speed."""
    rows = {port.index: port for port in found.interfaces}
    for port in ports:
        if not port.get("ifIndex"):
            continue
        row = rows.get(int(port["ifIndex"]))
        wanted["port"] += 1
        right["port"] += row is not None
        if row is not None and port.get("ifName"):
            wanted["port name"] += 1
            right["port name"] += row.name is not None and is_same(port["ifName"], row.name)
        if row is not None and 0 < (port.get("ifSpeed") or 0) < 2**32 - 1:
            wanted["port speed"] += 1
            right["port speed"] += row.speed_bits_per_second == port["ifSpeed"]
