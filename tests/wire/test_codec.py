"""The wire: what a sender encodes is what the server reads, and what cannot travel is refused."""

import dataclasses
import gzip
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.ingest.decode import Inflater, decode_batch, decode_rows
from kiemke.server.ingest.incoming import BadBatch, IncomingReport
from kiemke.wire.clean import clean_text, is_clean_json
from kiemke.wire.codec import CodecError, decode_answer, encode_batch, encode_report
from kiemke.wire.inventory import Adapter, Software
from kiemke.wire.report import (
    AdapterCounters,
    Answer,
    Body,
    Event,
    Inventory,
    Pace,
    Rejected,
    Report,
    Sample,
)
from tests.support.bodies import BODIES_AT_RANDOM, EXAMPLES, TEXT

GOLDEN = Path(__file__).with_name("golden_batch.json")
AT = datetime(2026, 11, 22, 4, 0, 0, 250_000, UTC)


def report(kind: str, body: Body, seq: int = 1) -> Report:
    return Report(2**64 - 1, seq, "boot-1", AT, 1234.5, kind, body)


def batch_of(reports: list[Report]) -> bytes:
    return encode_batch("src1", AT, 1240.0, "boot-1", [encode_report(r) for r in reports])


def decode(data: bytes, kind: str = "agent") -> list[IncomingReport]:
    return decode_batch(data, "src1", 1, kind, 0).reports


def test_the_format_is_the_golden_one() -> None:
    """Agents in the field speak this for years: a change here is a new version of the wire."""
    reports = [report(kind, body, n) for n, (kind, body) in enumerate(EXAMPLES, start=1)]

    assert json.loads(batch_of(reports)) == json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize(("kind", "body"), EXAMPLES)
def test_every_kind_is_read_back_as_it_was_said(kind: str, body: Body) -> None:
    (got,) = decode(batch_of([report(kind, body)]))

    assert got.problem is None
    assert (got.stream, got.seq, got.boot_id, got.at) == (2**64 - 1, 1, "boot-1", AT)
    if not isinstance(body, Inventory):
        assert got.body == body
        return
    for name, section in body.sections.items():
        read = got.body.sections[name]
        assert (read.status, read.token, read.detail) == (
            section.status, section.token, section.detail,
        )  # fmt: skip
        if section.rows is not None:
            plain = [
                {k: v for k, v in dataclasses.asdict(row).items() if v not in (None, ())}
                for row in section.rows
            ]
            assert decode_rows(name, read.rows) == plain


def cleaned(value: Any) -> Any:
    """What cleaning makes of a body: the same value with its texts cleaned."""
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {clean_text(k): cleaned(v) for k, v in value.items()}
        case tuple():
            return tuple(cleaned(v) for v in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: cleaned(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return type(value)(**fields)
    return value


@given(BODIES_AT_RANDOM)
def test_any_body_comes_back_cleaned_and_otherwise_unchanged(pair: tuple[str, Body]) -> None:
    kind, body = pair

    (got,) = decode(batch_of([report(kind, body)]))

    assert got.problem is None
    assert got.body == cleaned(body)


@given(TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    once = clean_text(text)

    assert clean_text(once) == once
    assert once.isprintable() or not once


def test_text_that_hides_or_turns_is_made_plain() -> None:
    hostile = "a\x1b[31m\u202eb\u200bc\x00\nd\ud800e\ufeff  f"

    assert clean_text(hostile) == "a[31mbc de f"


def test_decomposed_vietnamese_is_composed() -> None:
    """Names typed on a Mac arrive decomposed and would never be found again."""
    assert clean_text("Tiê\u0301ng Viê\u0323t") == "Tiếng Việt"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (Sample(math.nan), "covered_seconds"),
        (Sample(math.inf), "covered_seconds"),
        (Sample(1.0, adapters=(AdapterCounters("a", 2**64, 0),)), "receive_octets"),
    ],
)
def test_a_value_that_cannot_travel_is_refused_by_name(body: Sample, where: str) -> None:
    with pytest.raises(CodecError, match=where):
        encode_report(report("sample", body))


def test_a_number_that_is_not_finite_is_left_out_where_it_may_be() -> None:
    (got,) = decode(batch_of([report("sample", Sample(1.0, cpu_ratio=math.nan))]))

    assert got.body == Sample(1.0)


def test_a_moment_without_zone_is_refused() -> None:
    naive = dataclasses.replace(report("event", Event("boot")), at=AT.replace(tzinfo=None))

    with pytest.raises(CodecError, match=r"report\.at"):
        encode_report(naive)


def test_other_zones_travel_as_utc() -> None:
    local = AT.astimezone(timezone(timedelta(hours=7)))

    raw = encode_report(dataclasses.replace(report("event", Event("boot")), at=local))

    assert json.loads(raw)["at"] == "2026-11-22T04:00:00.250000Z"


GOOD = encode_report(report("event", Event("boot")))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b'"event"', b'"event2"'), "unknown kind"),
        ((b'"boot"', b'"bang"'), "unknown event"),
        ((b"1234.5", b"-1"), "uptime"),
        ((b"1234.5", b'"x"'), "not a report"),
        ((b"250000Z", b"250000"), "time zone"),
        ((b'"boot-1"', b'""'), "boot_id"),
        ((b'{"name":"boot"', b'{"name":5'), "event"),
    ],
)
def test_a_lying_report_carries_its_problem(change: tuple[bytes, bytes], reason: str) -> None:
    raw = GOOD.replace(*change)
    assert raw != GOOD

    (got,) = decode(encode_batch("src1", AT, 1240.0, "boot-1", [raw]))

    assert got.problem is not None and reason in got.problem


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"source":"src1"}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (encode_batch("other", AT, 1.0, "b", []), 422),
        (encode_batch("src1", AT, -1.0, "b", []), 422),
        (encode_batch("src1", AT, 1.0, "", []), 422),
        (encode_batch("src1", AT, 1.0, "b", [b'{"seq":1}']), 422),
        (encode_batch("src1", AT, 1.0, "b", [b'{"stream":-1,"seq":1}']), 422),
        (encode_batch("src1", AT, 1.0, "b", [b'{"stream":1,"seq":0}']), 422),
        (encode_batch("src1", AT, 1.0, "b", [GOOD] * 2001), 413),
        (b'{"source":"src1","sent_at":"2026-11-22T04:00:00Z","sent_uptime_seconds":NaN}', 400),
    ],
)
def test_a_body_that_is_no_batch_is_refused_whole(data: bytes, status: int) -> None:
    with pytest.raises(BadBatch) as caught:
        decode(data)

    assert caught.value.status == status


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_decoder(data: bytes) -> None:
    for body in (data, encode_batch("src1", AT, 1.0, "b", [data])):
        try:
            decode(body)
        except BadBatch as error:
            assert error.status in (400, 413, 422)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=20,
)


@given(st.sampled_from(sorted({kind for kind, _ in EXAMPLES})), JSON)
def test_any_json_as_a_body_is_taken_or_has_a_problem(kind: str, body: Any) -> None:
    raw = json.loads(GOOD) | {"kind": kind, "body": body}
    encoded = json.dumps(raw, ensure_ascii=True).encode()

    (got,) = decode(encode_batch("src1", AT, 1240.0, "boot-1", [encoded]))

    assert (got.body is None) == (got.problem is not None)


def test_rows_are_cleaned_and_bounded() -> None:
    raw = msgspec.Raw(json.dumps([{"name": "a\u202eb", "mac": None, "addresses": []}]).encode())

    assert decode_rows("adapters", raw) == [{"name": "ab"}]
    assert Adapter("ab") == Adapter(name="ab")
    assert Software("x").version is None


def test_a_fast_path_never_lets_an_escape_through() -> None:
    assert is_clean_json(b'{"name":"plain"}')
    assert not is_clean_json(b'{"name":"\\u202e"}')
    assert not is_clean_json("{'name':'ế'}".encode())
    assert not is_clean_json(b"x" * 1001)


def test_an_answer_is_read() -> None:
    data = json.dumps(
        {
            "ack": {"18446744073709551615": 12},
            "rejected": [{"stream": 1, "seq": 2, "reason": "why"}],
            "need": ["system"],
            "settings": {"poll_seconds": 60, "unknown_to_me": 1},
            "aside": "one_host",
        }
    ).encode()

    assert decode_answer(data) == Answer(
        {2**64 - 1: 12},
        (Rejected(1, 2, "why"),),
        ("system",),
        Pace(poll_seconds=60.0),
        aside="one_host",
    )


@given(st.one_of(st.binary(max_size=100), JSON.map(lambda v: json.dumps(v).encode())))
def test_no_answer_crashes_the_sender(data: bytes) -> None:
    try:
        decode_answer(data)
    except CodecError as error:
        assert str(error)


def test_a_gzip_bomb_is_stopped_at_the_limit() -> None:
    inflater = Inflater(1_000_000)

    with pytest.raises(BadBatch) as caught:
        inflater.feed(gzip.compress(bytes(50_000_000)))

    assert caught.value.status == 413


@pytest.mark.parametrize("cut", [0, 5, 15])
def test_a_gzip_cut_short_is_refused(cut: int) -> None:
    inflater = Inflater(1000)
    inflater.feed(gzip.compress(b"hello")[:cut])

    with pytest.raises(BadBatch, match="cut short"):
        inflater.finish()
