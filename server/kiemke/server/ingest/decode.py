"""Bytes to a batch: inflate with a cap, read the envelope, then each body by its kind.

A report whose body does not fit its kind does not spoil its neighbours: it carries its problem along
and is set aside. Only a body without a readable envelope is refused whole.
"""

import dataclasses
import zlib
from datetime import datetime
from typing import Any

import msgspec

from kiemke.server.ingest.check_config import check_config
from kiemke.server.ingest.decode_lan import check_neighbours, check_sweep
from kiemke.server.ingest.incoming import BadBatch, BadReport, IncomingBatch, IncomingReport
from kiemke.wire.clean import clean_text, is_clean_json
from kiemke.wire.codec import MAX_COUNTER
from kiemke.wire.inventory import SECTIONS
from kiemke.wire.report import (
    BODIES,
    EVENT_NAMES,
    POLL_OUTCOMES,
    REACH_TARGETS,
    SECTION_STATUSES,
    Device,
    Event,
    Interfaces,
    Reachability,
    Sample,
)

MAX_REPORTS = 2_000
MAX_ROWS = 20_000
MAX_READINGS = 1_000
MAX_COVERED_SECONDS = 86_400.0
_MAX_INT64 = 2**63 - 1
_MAX_NAME = 64


class _Report(msgspec.Struct):
    stream: int
    seq: int
    boot_id: str
    at: datetime
    uptime_seconds: float
    kind: str
    body: msgspec.Raw


class _Identity(msgspec.Struct):
    stream: int
    seq: int
    kind: Any = None


class _Envelope(msgspec.Struct):
    source: str
    sent_at: datetime
    sent_uptime_seconds: float
    sent_boot_id: str
    reports: list[msgspec.Raw]


class InventorySection(msgspec.Struct):
    """One section as received; ``rows`` still raw JSON, empty when they did not travel."""

    status: str
    token: str | None = None
    rows: msgspec.Raw = msgspec.Raw(b"")
    detail: str | None = None


class IncomingInventory(msgspec.Struct):
    """An inventory as received: unions of dataclasses are no type for the decoder, raw rows are."""

    sections: dict[str, InventorySection]


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_REPORT = msgspec.json.Decoder(_Report)
_IDENTITY = msgspec.json.Decoder(_Identity)
_BODY: dict[str, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(IncomingInventory if kind == "inventory" else body)
    for kind, body in BODIES.items()
}
_ROWS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(tuple[row, ...])  # type: ignore[valid-type]  # a type made at run time
    for name, row in SECTIONS.items()
}

# Deep nesting ends the decoder's recursion with RecursionError, which is no DecodeError.
_NOT_UNDERSTOOD = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class Inflater:
    """Gunzip a request body piece by piece, never past ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inflate = zlib.decompressobj(wbits=31)
        self._out = bytearray()

    def feed(self, data: bytes) -> None:
        """Take one piece. Raises BadBatch when it is no gzip or grows past the limit."""
        try:
            self._out += self._inflate.decompress(data, self._limit + 1 - len(self._out))
        except zlib.error as error:
            raise BadBatch(400, f"the body is no gzip: {error}") from error
        if len(self._out) > self._limit:
            raise BadBatch(413, f"the body inflates to more than {self._limit} bytes")
        if self._inflate.unused_data:
            raise BadBatch(400, "something follows the end of the gzip body")

    def finish(self) -> bytes:
        """Return all that was inflated. Raises BadBatch when the gzip was cut short."""
        if not self._inflate.eof:
            raise BadBatch(400, "the gzip body is cut short")
        return bytes(self._out)


def _moment_ms(value: datetime, where: str) -> int:
    if value.tzinfo is None:
        raise ValueError(f"{where}: a moment without time zone")
    return round(value.timestamp() * 1000)


def _text(value: str, where: str) -> str:
    cleaned = clean_text(value, _MAX_NAME)
    if not cleaned:
        raise ValueError(f"{where}: empty")
    return cleaned


def decode_batch(
    data: bytes, source: str, source_id: int, source_kind: str, received_at_ms: int
) -> IncomingBatch:
    """Return the batch of the authenticated ``source``. Raises BadBatch."""
    try:
        envelope = _ENVELOPE.decode(data)
        sent_at_ms = _moment_ms(envelope.sent_at, "sent_at")
        boot_id = _text(envelope.sent_boot_id, "sent_boot_id")
    except _NOT_UNDERSTOOD as error:
        raise BadBatch(400, f"the body is no batch: {error}") from error
    except ValueError as error:
        raise BadBatch(422, str(error)) from error
    if envelope.source != source:
        raise BadBatch(422, "the batch names another source than the one that sends it")
    if not 0 <= envelope.sent_uptime_seconds < 1e10:
        raise BadBatch(422, "sent_uptime_seconds: not an uptime")
    if len(envelope.reports) > MAX_REPORTS:
        raise BadBatch(413, f"more than {MAX_REPORTS} reports in one batch")
    return IncomingBatch(
        source_id=source_id,
        source_kind=source_kind,
        received_at_ms=received_at_ms,
        sent_at_ms=sent_at_ms,
        sent_uptime_seconds=envelope.sent_uptime_seconds,
        sent_boot_id=boot_id,
        reports=[_report(bytes(raw)) for raw in envelope.reports],
        size_bytes=len(data),
    )


def _report(raw: bytes) -> IncomingReport:
    """Return one report, with its problem when it has one. Raises BadBatch without identity."""
    try:
        report = _REPORT.decode(raw)
        problem = None
    except _NOT_UNDERSTOOD as error:
        report, problem = _unreadable(raw), f"not a report: {error}"
    if not (0 <= report.stream <= MAX_COUNTER and 1 <= report.seq <= _MAX_INT64):
        raise BadBatch(422, "a report whose stream or seq is out of range")
    out = IncomingReport(
        stream=report.stream,
        seq=report.seq,
        boot_id=clean_text(report.boot_id, _MAX_NAME),
        at=report.at,
        uptime_seconds=report.uptime_seconds,
        kind=clean_text(report.kind, _MAX_NAME),
        raw=raw,
        problem=problem,
    )
    if out.problem is None:
        try:
            out.body = _body(report)
        except BadReport as error:
            out.problem = str(error)
    return out


def _unreadable(raw: bytes) -> _Report:
    """Return the bare identity of a report whose other fields do not fit."""
    try:
        identity = _IDENTITY.decode(raw)
    except _NOT_UNDERSTOOD as error:
        raise BadBatch(422, f"a report without stream and seq: {error}") from error
    kind = identity.kind if isinstance(identity.kind, str) else ""
    never = datetime.fromtimestamp(0).astimezone()
    return _Report(identity.stream, identity.seq, "", never, 0.0, kind, msgspec.Raw(b"null"))


def _body(report: _Report) -> Any:
    if report.at.tzinfo is None:
        raise BadReport("at: a moment without time zone")
    if not 0 <= report.uptime_seconds < 1e10:
        raise BadReport("uptime_seconds: not an uptime")
    if not report.boot_id:
        raise BadReport("boot_id: empty")
    decoder = _BODY.get(report.kind)
    if decoder is None:
        raise BadReport(f"unknown kind {clean_text(report.kind, _MAX_NAME)!r}")
    raw = bytes(report.body)
    try:
        body = decoder.decode(raw)
        if not is_clean_json(raw) and report.kind != "inventory":
            body = _cleaned(body, BODIES[report.kind])
    except _NOT_UNDERSTOOD as error:
        raise BadReport(f"{report.kind}: {error}") from error
    check = _CHECKS.get(report.kind)
    if check is not None:
        check(body)
    return body


def decode_rows(section: str, raw: msgspec.Raw) -> list[dict[str, Any]]:
    """Return a section's rows as cleaned plain dicts without absent fields. Raises BadReport.

    Rows of a section this version does not know are kept as they are, as flat objects.
    """
    decoder = _ROWS.get(section)
    try:
        rows = (
            decoder.decode(raw) if decoder else msgspec.json.decode(raw, type=list[dict[str, Any]])
        )
        plain = msgspec.to_builtins(rows)
        if len(plain) > MAX_ROWS:
            raise BadReport(f"{section}: more than {MAX_ROWS} rows")
        return [
            {k: v for k, v in _clean_plain(row, 0).items() if v is not None and v != []}
            for row in plain
        ]
    except _NOT_UNDERSTOOD as error:
        raise BadReport(f"{section}: {error}") from error


def _clean_plain(value: Any, depth: int) -> Any:
    if depth > 8:
        raise RecursionError("nested deeper than 8")
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {clean_text(str(k)): _clean_plain(v, depth + 1) for k, v in value.items()}
        case list() | tuple():
            return [_clean_plain(v, depth + 1) for v in value]
        case _:
            return value


def _cleaned(body: Any, kind: type) -> Any:
    return msgspec.convert(_clean_plain(msgspec.to_builtins(body), 0), kind)


# --- what a type cannot say ---------------------------------------------------------------------


def _counter(value: int | None, where: str) -> None:
    if value is not None and not 0 <= value <= MAX_COUNTER:
        raise BadReport(f"{where}: no 64-bit counter")


def _small(value: float | None, where: str, most: float = 1e15) -> None:
    # Compared, never converted: an integer of 400 digits is no float, infinity and NaN fail both.
    if value is not None and not 0 <= value <= most:
        raise BadReport(f"{where}: out of range, 0 to {most:g}")


def _check_sample(body: Sample) -> None:
    _small(body.covered_seconds, "covered_seconds", MAX_COVERED_SECONDS)
    _small(body.cpu_ratio, "cpu_ratio", 1.5)
    _small(body.memory_used_bytes, "memory_used_bytes")
    _small(body.memory_total_bytes, "memory_total_bytes")
    if body.clock_offset_seconds is not None:  # whichever way the sender's clock is wrong
        _small(abs(body.clock_offset_seconds), "clock_offset_seconds", 1e11)
    _counter(body.disk_read_bytes, "disk_read_bytes")
    _counter(body.disk_written_bytes, "disk_written_bytes")
    for volume in body.volumes or ():
        _small(volume.size_bytes, "size_bytes", _MAX_INT64)
        _small(volume.free_bytes, "free_bytes", _MAX_INT64)
    for reach in body.reach or ():
        if reach.target not in REACH_TARGETS or not 0 <= reach.received <= reach.sent <= 10_000:
            raise BadReport(f"reach: {reach.received} of {reach.sent} from {reach.target!r}")
        _small(reach.rtt_seconds, "rtt_seconds", 3600.0)
    for adapter in body.adapters:
        _counter(adapter.receive_octets, "receive_octets")
        _counter(adapter.transmit_octets, "transmit_octets")


def _check_inventory(body: IncomingInventory) -> None:
    if len(body.sections) > 100:
        raise BadReport("more than 100 sections")
    for name, section in body.sections.items():
        if section.status not in SECTION_STATUSES:
            raise BadReport(f"{clean_text(name, _MAX_NAME)}: unknown status")
        if not name.isidentifier() or len(name) > 40:
            raise BadReport("a section's name is no identifier")
        if section.token is not None and len(section.token) > 128:
            raise BadReport(f"{name}: the token is longer than 128 characters")
        if section.token is not None and clean_text(section.token) != section.token:
            raise BadReport(f"{name}: the token is not plain text")
        if section.detail is not None:
            section.detail = clean_text(section.detail)


def _check_event(body: Event) -> None:
    if body.name not in EVENT_NAMES:
        raise BadReport(f"unknown event {body.name!r}")
    if len(body.detail) > 50:
        raise BadReport("more than 50 details")


def _check_device(body: Device) -> None:
    if len(body.readings or ()) > MAX_READINGS:
        raise BadReport(f"more than {MAX_READINGS} readings")
    for reading in body.readings or ():
        if not reading.name.isidentifier() or len(reading.name) > 40:
            raise BadReport("a reading's name is no identifier")
        _small(abs(reading.value), reading.name)
    if body.outcome not in POLL_OUTCOMES:
        raise BadReport(f"unknown outcome {body.outcome!r}")
    _small(body.device, "device", _MAX_INT64)
    _small(body.sys_uptime_seconds, "sys_uptime_seconds")


# No poll takes longer than this.
_MOST_AGO_SECONDS = 600.0
_ROW_COUNTERS = (
    "in_octets", "out_octets", "in_errors", "out_errors", "in_discards", "out_discards",
)  # fmt: skip


def _check_interfaces(body: Interfaces) -> None:
    if body.outcome not in POLL_OUTCOMES:
        raise BadReport(f"unknown outcome {body.outcome!r}")
    _small(body.device, "device", _MAX_INT64)
    _small(body.sys_uptime_seconds, "sys_uptime_seconds")
    if len(body.rows) > MAX_ROWS:
        raise BadReport(f"more than {MAX_ROWS} interfaces")
    if len({row.index for row in body.rows}) != len(body.rows):
        raise BadReport("an ifIndex stands twice")
    for row in body.rows:
        _small(row.index, "index", 2**31)
        _small(row.type, "type", 2**31 - 1)
        _small(row.speed_bits_per_second, "speed_bits_per_second", 1e15)
        _small(row.discontinuity_seconds, "discontinuity_seconds")
        _small(row.octets_ago_seconds, "octets_ago_seconds", _MOST_AGO_SECONDS)
        if row.counter_bits not in (None, 32, 64):
            raise BadReport(f"counter_bits: {row.counter_bits}; 32 or 64")
        for name in _ROW_COUNTERS:
            _counter(getattr(row, name), name)


def _check_reachability(body: Reachability) -> None:
    _small(body.target, "target", _MAX_INT64)
    if not 0 <= body.received <= body.sent <= 10_000:
        raise BadReport(f"received {body.received} of {body.sent} sent")
    for item in dataclasses.fields(body):
        if item.name.endswith("_seconds"):
            _small(getattr(body, item.name), item.name, 3600.0)


_CHECKS: dict[str, Any] = {
    "sample": _check_sample,
    "inventory": _check_inventory,
    "event": _check_event,
    "device": _check_device,
    "interfaces": _check_interfaces,
    "reachability": _check_reachability,
    "config": check_config,
    "neighbours": check_neighbours,
    "sweep": check_sweep,
}
