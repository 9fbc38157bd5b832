"""Reports to JSON and the server's answer back, with the standard library only.

A field that is None is left out. Every string is cleaned (see ``clean``), every moment is RFC 3339 in
UTC, counters are unsigned decimal integers below 2**64, and a number that is not finite is left out
where the field may be absent and refused where it may not.
"""

import dataclasses
import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from kiemke.wire.clean import clean_text
from kiemke.wire.report import BODIES, Answer, Pace, ProbeTask, Rejected, Report

MAX_COUNTER = 2**64 - 1
MAX_DEPTH = 12
MAX_PEM = 16384
MAX_WORD = 40


class CodecError(ValueError):
    """A value cannot travel: the message says which field and why."""


def _moment(value: datetime, where: str) -> str:
    if value.tzinfo is None:
        raise CodecError(f"{where}: a moment without time zone; give an aware datetime")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@cache
def _required(kind: Any) -> frozenset[str]:
    return frozenset(
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    )


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind))


def _object(value: Any, where: str, depth: int) -> dict[str, Any]:
    kind: Any = type(value)
    required = _required(kind)
    out: dict[str, Any] = {}
    for name in _names(kind):
        plain = _plain(getattr(value, name), f"{where}.{name}", depth + 1)
        if plain is not None:
            out[name] = plain
        elif name in required:
            raise CodecError(f"{where}.{name}: must be known; got {getattr(value, name)!r}")
    return out


def _plain(value: Any, where: str, depth: int) -> Any:
    """Return what ``json`` can write, or None for "leave this out"."""
    if depth > MAX_DEPTH:
        raise CodecError(f"{where}: nested deeper than {MAX_DEPTH}")
    match value:
        case None | bool():
            return value
        case str():
            return clean_text(value)
        case int():
            if not -MAX_COUNTER <= value <= MAX_COUNTER:
                raise CodecError(f"{where}: {value} does not fit 64 bits")
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return _moment(value, where)
        case dict():
            return {
                clean_text(str(k)): _plain(v, f"{where}.{k}", depth + 1) for k, v in value.items()
            }
        case list() | tuple():
            return [_plain(v, f"{where}[{n}]", depth + 1) for n, v in enumerate(value)]
    if dataclasses.is_dataclass(value):
        return _object(value, where, depth)
    raise CodecError(f"{where}: a {type(value).__name__} cannot travel")


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def encode_report(report: Report) -> bytes:
    """Return one report as a JSON object. Raises CodecError when a value cannot travel."""
    if not 0 <= report.stream <= MAX_COUNTER:
        raise CodecError(f"stream: {report.stream} does not fit 64 bits unsigned")
    if report.seq < 1:
        raise CodecError(f"seq: {report.seq}; the first report of a stream is 1")
    wanted = BODIES.get(report.kind)
    if wanted is None or type(report.body) is not wanted:
        raise CodecError(f"kind: {report.kind!r} does not carry a {type(report.body).__name__}")
    return _dump(_plain(report, "report", 0))


def encode_batch(
    source: str,
    sent_at: datetime,
    sent_uptime_seconds: float,
    sent_boot_id: str,
    reports: Sequence[bytes],
) -> bytes:
    """Return the body of one POST from reports that are encoded already."""
    head = _dump(
        {
            "source": clean_text(source),
            "sent_at": _moment(sent_at, "sent_at"),
            "sent_uptime_seconds": sent_uptime_seconds,
            "sent_boot_id": clean_text(sent_boot_id),
        }
    )
    return head[:-1] + b',"reports":[' + b",".join(reports) + b"]}"


def _optional_number(values: dict[str, Any], name: str) -> float | None:
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CodecError(f"settings.{name}: not a number")
    return float(value)


def decode_answer(data: bytes) -> Answer:
    """Return the server's answer. Raises CodecError on anything else than its documented shape."""
    try:
        raw = json.loads(data)
        ack = {int(k): int(v) for k, v in raw["ack"].items()}
        rejected = tuple(
            Rejected(int(r["stream"]), int(r["seq"]), clean_text(str(r["reason"])))
            for r in raw.get("rejected", ())
        )
        need = tuple(clean_text(str(n)) for n in raw.get("need", ()))
        settings = raw.get("settings") or {}
        pace = Pace(**{name: _optional_number(settings, name) for name in _names(Pace)})
        probes = tuple(
            ProbeTask(int(p["target"]), str(p["address"]), int(p["count"]), str(p["purpose"]))
            for p in raw.get("probes", ())
        )
        ca_next = raw.get("ca_next")
        if ca_next is not None and not (isinstance(ca_next, str) and len(ca_next) <= MAX_PEM):
            raise CodecError(f"ca_next: not a certificate of at most {MAX_PEM} characters")
        aside = raw.get("aside")
        if aside is not None:
            aside = clean_text(str(aside), MAX_WORD) or None
    except CodecError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CodecError(f"the server's answer is not understood: {error}") from error
    return Answer(ack, rejected, need, pace, ca_next, probes, aside)
