"""How well gear is identified whose maker nobody described: leave one maker out, over recorded devices.

``python -m bench.identification --corpus ../shared/corpora/snmp``: every recorded device (rec/NAME.snmprec, what
is known of it in expected.jsonl) is identified three times: with all families; without those of its own maker
and without the product tables ("unknown maker"); and with the general rules alone. Each prints recall (the
known facts that are told) and precision (the told facts that do not contradict what is known). ``--misses``
lists what is missed or wrong in one of the three.
"""

import argparse
import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.families import FAMILIES
from kiemke.collectors.identify import Identity, catalogue, identify
from kiemke.collectors.identify_rules import Catalogue, load_family
from kiemke.collectors.snmp.reader import SnmpReader
from tests.support.snmp_recordings import RecordedReader, read_recording

# Our fact, and what the corpus calls it.
FACTS = {"model": "hardware", "version": "version", "serial": "serial"}
EVERYTHING = ("0.", "1.", "2.")
UNSAID = ("<private>", "Generic ", "####")
# What no maker owns stays when a maker is left out.
OF_NOBODY = frozenset({"general", "linux", "unix", "windows", "docsis", "dcn"})
MODES = ("all families", "unknown maker", "general rules")


def is_same(expected: object, given: object) -> bool:
    """Equal but for case and punctuation, or one holds the other (three characters or more)."""
    one, other = (re.sub(r"[^0-9a-z]+", "", str(text).casefold()) for text in (expected, given))
    short, long = sorted((one, other), key=len)
    return bool(short) and (one == other or (len(short) >= 3 and short in long))


@cache
def catalogue_without(families: frozenset[str]) -> Catalogue:
    """Return all families but these."""
    return Catalogue(tuple(name for name in FAMILIES if name not in families), cache(load_family))


@contextmanager
def no_products() -> Iterator[None]:
    """Take the makers' product tables away for a while."""
    with patch("kiemke.collectors.identify.product_of", lambda _: ""):
        yield


async def tell(mode: str, reader: SnmpReader, full: Identity) -> Identity:
    """Return what one mode says of a device; ``full`` is what all families say of it."""
    if mode == MODES[0]:
        return full
    known = Catalogue(("general",))
    if mode == MODES[1]:
        known = catalogue_without(frozenset(full.families) - OF_NOBODY)
    with no_products():
        return await identify(reader, Deadline(60), known=known, with_ports=False)


async def measure(corpus: Path, misses: str | None, only: set[str]) -> None:
    """Print the figures of each mode, after the misses of one."""
    wanted: Counter[str] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    given: Counter[tuple[str, str]] = Counter()
    for line in (corpus / "expected.jsonl").read_text("utf-8").splitlines():
        known: dict[str, Any] = json.loads(line)
        path = corpus / "rec" / f"{known['name']}.snmprec"
        if not path.exists() or (only and known["name"] not in only):
            continue
        facts = {
            fact: known[key]
            for fact, key in FACTS.items()
            if known.get(key) and not str(known[key]).startswith(UNSAID)
        }
        wanted.update(list(facts))
        reader = RecordedReader(read_recording(path, EVERYTHING))
        full = await identify(reader, Deadline(60), with_ports=False)
        for mode in MODES:
            said = await tell(mode, reader, full)
            for fact, expected in facts.items():
                value = getattr(said, fact)
                given[mode, fact] += value is not None
                hit = value is not None and is_same(expected, value)
                right[mode, fact] += hit
                if mode == misses and not hit:
                    print(f"{fact} {known['name']}: known {expected!r}, told {value!r}; "
                          f"{said.object_id} {(said.description or '')[:140]!r}")  # fmt: skip
    for mode in MODES:
        for fact, number in wanted.items():
            recall, told = right[mode, fact] / number, given[mode, fact]
            precision = right[mode, fact] / told if told else 0.0
            print(f"{mode:14} {fact:8} recall {recall:6.1%}  precision {precision:6.1%}  "
                  f"({right[mode, fact]} right, {told} told, {number} known)")  # fmt: skip


def main() -> int:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.identification", description=__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpora/snmp"))
    parser.add_argument("--misses", choices=MODES)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    options = parser.parse_args()
    if not (options.corpus / "expected.jsonl").is_file():
        print(f"no recordings in {options.corpus}: name their folder with --corpus")
        return 0
    catalogue()
    asyncio.run(measure(options.corpus, options.misses, set(options.only)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
