"""A day of five-minute slots in a few bytes: presence of a PC, traffic and health of a line.

Layout, all little-endian: a header ``<BBHB`` = kind, format version, slot length in seconds, flags
(bit 0: what follows is zlib-compressed), then the columns one after the other, each with one value
per slot. Unknown has a sentinel of its own in every column, never 0. Readers know every version ever
written; the tests hold golden bytes of each.
"""

import struct
import sys
import zlib
from array import array
from dataclasses import dataclass, field
from typing import Self

SLOT_SECONDS = 300
SLOTS = 86_400 // SLOT_SECONDS

_HEADER = struct.Struct("<BBHB")
_KIND_PRESENCE = 1
_KIND_LINK = 2
_VERSION = 1
_COMPRESSED = 1
_MAX_UNPACKED = 64 * 1024


class DaypackError(ValueError):
    """The bytes are not a packed day that this version knows."""


def _head(kind: int, flags: int) -> bytes:
    return _HEADER.pack(kind, _VERSION, SLOT_SECONDS, flags)


def _open(data: bytes, kind: int, what: str) -> bytes:
    """Return the columns' bytes after checking the header."""
    if len(data) < _HEADER.size:
        raise DaypackError(f"{what}: {len(data)} bytes are too few for a header")
    got_kind, version, slot_seconds, flags = _HEADER.unpack_from(data)
    if (got_kind, version, slot_seconds) != (kind, _VERSION, SLOT_SECONDS):
        raise DaypackError(
            f"{what}: kind {got_kind}, version {version}, {slot_seconds} s slots; "
            f"this reader knows kind {kind}, version {_VERSION}, {SLOT_SECONDS} s"
        )
    payload = data[_HEADER.size :]
    if not flags & _COMPRESSED:
        return payload
    inflater = zlib.decompressobj()
    try:
        out = inflater.decompress(payload, _MAX_UNPACKED)
    except zlib.error as error:
        raise DaypackError(f"{what}: {error}") from error
    if inflater.unconsumed_tail or not inflater.eof:
        raise DaypackError(f"{what}: the compressed columns do not end where they should")
    return out


# --- presence ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Presence:
    """Which slots of a day a PC was on: two 288-bit maps, bit n = slot n.

    ``on`` has every slot touched by a sample; ``trusted`` those whose time is sure.
    """

    on: int = 0
    trusted: int = 0

    def mark(self, first: int, last: int, *, sure: bool) -> int:
        """Mark slots ``first`` to ``last`` (inclusive). Returns how many were not on before."""
        mask = ((1 << (last - first + 1)) - 1) << first
        added = (mask & ~self.on).bit_count()
        self.on |= mask
        if sure:
            self.trusted |= mask
        return added

    def pack(self) -> bytes:
        """Return 5 + 2 x 36 bytes."""
        return (
            _head(_KIND_PRESENCE, 0)
            + self.on.to_bytes(SLOTS // 8, "little")
            + self.trusted.to_bytes(SLOTS // 8, "little")
        )

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read packed bytes. Raises DaypackError."""
        columns = _open(data, _KIND_PRESENCE, "presence day")
        if len(columns) != 2 * SLOTS // 8:
            raise DaypackError(f"presence day: {len(columns)} bytes of columns")
        half = SLOTS // 8
        return cls(
            int.from_bytes(columns[:half], "little"), int.from_bytes(columns[half:], "little")
        )


# --- link --------------------------------------------------------------------------------------

QUALITIES = ("none", "ok", "wrap", "gap", "reset", "implausible")
QUALITY_CODE = {name: code for code, name in enumerate(QUALITIES)}

UNKNOWN_U16 = 0xFFFF
UNKNOWN_U32 = 0xFFFF_FFFF
UNKNOWN_U64 = 0xFFFF_FFFF_FFFF_FFFF

# Column -> (array type code, value of an untouched slot). The order is the order in the bytes.
_LINK_COLUMNS = (
    ("in_octets", "Q", UNKNOWN_U64),
    ("out_octets", "Q", UNKNOWN_U64),
    ("seconds", "H", UNKNOWN_U16),
    ("echo_sent", "H", UNKNOWN_U16),
    ("echo_received", "H", UNKNOWN_U16),
    ("rtt_us", "I", UNKNOWN_U32),
    ("jitter_us", "I", UNKNOWN_U32),
    ("up_polls", "B", 0),
    ("down_polls", "B", 0),
    ("quality", "B", 0),
)


def _filled(code: str, value: int) -> "array[int]":
    return array(code, [value]) * SLOTS


@dataclass(slots=True)
class LinkSlots:
    """A day of one line, one value per slot and column.

    ``in_octets``/``out_octets`` over ``seconds`` of counted time (all three unknown together);
    ``echo_sent``/``echo_received`` and the mean ``rtt_us`` and ``jitter_us`` of what came back;
    ``up_polls``/``down_polls`` say how often the line was found up or down (both 0: unknown);
    ``quality`` is the worst interval quality met, as an index into QUALITIES.
    """

    in_octets: "array[int]" = field(default_factory=lambda: _filled("Q", UNKNOWN_U64))
    out_octets: "array[int]" = field(default_factory=lambda: _filled("Q", UNKNOWN_U64))
    seconds: "array[int]" = field(default_factory=lambda: _filled("H", UNKNOWN_U16))
    echo_sent: "array[int]" = field(default_factory=lambda: _filled("H", UNKNOWN_U16))
    echo_received: "array[int]" = field(default_factory=lambda: _filled("H", UNKNOWN_U16))
    rtt_us: "array[int]" = field(default_factory=lambda: _filled("I", UNKNOWN_U32))
    jitter_us: "array[int]" = field(default_factory=lambda: _filled("I", UNKNOWN_U32))
    up_polls: "array[int]" = field(default_factory=lambda: _filled("B", 0))
    down_polls: "array[int]" = field(default_factory=lambda: _filled("B", 0))
    quality: "array[int]" = field(default_factory=lambda: _filled("B", 0))

    def add_traffic(self, slot: int, in_octets: int, out_octets: int, seconds: float) -> None:
        """Add one interval's octets to its slot."""
        known = self.seconds[slot] != UNKNOWN_U16
        before = (self.in_octets[slot], self.out_octets[slot], self.seconds[slot])
        base_in, base_out, base_seconds = before if known else (0, 0, 0)
        self.in_octets[slot] = min(base_in + in_octets, UNKNOWN_U64 - 1)
        self.out_octets[slot] = min(base_out + out_octets, UNKNOWN_U64 - 1)
        self.seconds[slot] = min(base_seconds + round(seconds), UNKNOWN_U16 - 1)

    def add_quality(self, slot: int, quality: str) -> None:
        """Remember the worst quality of the slot."""
        self.quality[slot] = max(self.quality[slot], QUALITY_CODE[quality])

    def add_state(self, slot: int, *, up: bool) -> None:
        """Count one look at the line."""
        column = self.up_polls if up else self.down_polls
        column[slot] = min(column[slot] + 1, 0xFF)

    def add_echo(
        self, slot: int, sent: int, received: int, rtt_us: int | None, jitter_us: int | None
    ) -> None:
        """Add one round of probes; RTT and jitter are means weighted by what came back."""
        known = self.echo_sent[slot] != UNKNOWN_U16
        sent_before = self.echo_sent[slot] if known else 0
        received_before = self.echo_received[slot] if known else 0
        self.echo_sent[slot] = min(sent_before + sent, UNKNOWN_U16 - 1)
        self.echo_received[slot] = min(received_before + received, UNKNOWN_U16 - 1)
        for column, value in ((self.rtt_us, rtt_us), (self.jitter_us, jitter_us)):
            if value is None or not received:
                continue
            if column[slot] == UNKNOWN_U32 or not received_before:
                mean = value
            else:
                total = column[slot] * received_before + value * received
                mean = total // (received_before + received)
            column[slot] = min(mean, UNKNOWN_U32 - 1)

    def pack(self, *, compress: bool) -> bytes:
        """Return the packed day; a day that is over is worth compressing."""
        parts = []
        for name, _code, _unknown in _LINK_COLUMNS:
            column: array[int] = getattr(self, name)
            if sys.byteorder == "big":
                column = column[:]
                column.byteswap()
            parts.append(column.tobytes())
        payload = b"".join(parts)
        if compress:
            return _head(_KIND_LINK, _COMPRESSED) + zlib.compress(payload, 6)
        return _head(_KIND_LINK, 0) + payload

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Read packed bytes. Raises DaypackError."""
        payload = _open(data, _KIND_LINK, "link day")
        columns: dict[str, array[int]] = {}
        offset = 0
        for name, code, _unknown in _LINK_COLUMNS:
            column = array(code)
            end = offset + column.itemsize * SLOTS
            if end > len(payload):
                raise DaypackError(f"link day: column {name} is cut short")
            column.frombytes(payload[offset:end])
            if sys.byteorder == "big":
                column.byteswap()
            columns[name] = column
            offset = end
        if offset != len(payload):
            raise DaypackError(f"link day: {len(payload) - offset} bytes too many")
        return cls(**columns)
