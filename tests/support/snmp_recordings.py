"""Recorded devices (.snmprec: one `oid|tag|value` a line) served to the collector without a socket."""

import bisect
from collections.abc import Sequence
from pathlib import Path

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.snmp.reader import Oid, Part, Tuning, Value, Walk, parse_oid
from kiemke.collectors.snmp.walk import walk_columns

# What the collector asks for lies below these.
KEPT = ("1.3.6.1.2.1.1.", "1.3.6.1.2.1.2.", "1.3.6.1.2.1.31.1.1.", "1.3.6.1.2.1.10.7.")


def read_recording(path: Path, kept: tuple[str, ...] = KEPT) -> dict[Oid, Value]:
    """Return the recorded objects below ``kept``; lines of other shapes are skipped."""
    objects: dict[Oid, Value] = {}
    for line in path.read_text("utf-8", errors="replace").splitlines():
        oid, _, rest = line.partition("|")
        tag, bar, value = rest.partition("|")
        if not bar or not oid.startswith(kept):
            continue
        try:
            objects[parse_oid(oid)] = _decode(tag, value)
        except ValueError:
            continue
    return objects


def _decode(tag: str, value: str) -> Value:
    """Tags are BER's (RFC 3416), an x marks hexadecimal. Raises ValueError for unknown ones."""
    match tag:
        case "2" | "65" | "66" | "67" | "70":
            return int(value)
        case "4":
            return value.encode()
        case "4x" | "64x":
            return bytes.fromhex(value)
        case "6":
            return parse_oid(value)
    raise ValueError(tag)


class RecordedReader:
    """An SnmpReader over recorded objects; its bulk answers as a faultless agent would."""

    def __init__(self, objects: dict[Oid, Value]) -> None:
        self.objects = objects
        self.names = sorted(objects)

    async def get(self, oids: Sequence[str], deadline: Deadline) -> dict[str, Value]:
        found = {oid: self.objects.get(parse_oid(oid)) for oid in oids}
        return {oid: value for oid, value in found.items() if value is not None}

    async def walk(
        self,
        columns: Sequence[str],
        deadline: Deadline,
        rows_hint: int | None,
        part: Part | None = None,
    ) -> Walk:
        async def bulk(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
            answer: list[tuple[Oid, Value | None]] = []
            at = list(oids)
            for _ in range(rows):
                for position, oid in enumerate(at):
                    place = bisect.bisect_right(self.names, oid)
                    if place < len(self.names):
                        at[position] = self.names[place]
                        answer.append((at[position], self.objects[at[position]]))
                    else:
                        answer.append((oid, None))
            return answer

        return await walk_columns(
            bulk, columns, deadline, Tuning(), target="recording", rows_hint=rows_hint, part=part
        )
