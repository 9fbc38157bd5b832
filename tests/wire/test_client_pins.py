"""The server's next root: learned from whom, kept when, and what becomes of the one before."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiemke.wire.client import PINS_EVERY_POSTS, Outcome, Sender
from kiemke.wire.codec import CodecError, decode_answer
from kiemke.wire.outbox import Outbox
from kiemke.wire.pin import Pins
from tests.support.senders import ManualClock, credentials, event
from tests.support.tls_server import Certificates, Scripted, make_certificates, tls_server


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("new"))


@pytest.fixture
def outbox(tmp_path: Path, clock: ManualClock, open_outbox: Callable[..., Outbox]) -> Outbox:
    return open_outbox(tmp_path / "o.db")


@pytest.fixture
def kept() -> list[Pins]:
    """What the sender asked to be kept, in order."""
    return []


@pytest.fixture
def make_sender(
    outbox: Outbox, clock: ManualClock, kept: list[Pins]
) -> Iterator[Callable[..., Sender]]:
    made: list[Sender] = []

    def make(certificates: Certificates, url: str, pins: Pins) -> Sender:
        known = replace(credentials(certificates, url), pins=pins)
        made.append(Sender(outbox, known, clock, on_pins=kept.append, timeout_seconds=5.0))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


def test_the_announced_root_is_kept_and_named_from_then_on(
    old: Certificates,
    new: Certificates,
    outbox: Outbox,
    clock: ManualClock,
    kept: list[Pins],
    make_sender: Callable[..., Sender],
) -> None:
    with tls_server(old) as server:
        sender = make_sender(old, server.url, Pins(old.root_pem))
        server.ca_next = new.root_pem
        for _ in range(2 + PINS_EVERY_POSTS):
            outbox.put(event(clock))
            assert sender.post_once().outcome is Outcome.SENT

        assert kept == [Pins(old.root_pem, new.root_pem)]
        both = f"{old.root_sha256[:8]},{new.root_sha256[:8]}"
        told = [one.get("X-Kiemke-Pins") for one in server.headers]
        # When they change, and once an hour: an ordinary post is 25 bytes smaller.
        assert told == [old.root_sha256[:8], both, *[None] * (PINS_EVERY_POSTS - 1), both]


def test_the_first_server_proved_by_the_next_root_makes_it_the_one_in_use(
    old: Certificates,
    new: Certificates,
    outbox: Outbox,
    clock: ManualClock,
    kept: list[Pins],
    make_sender: Callable[..., Sender],
) -> None:
    """Who stole the old root's key must not be believed for ever after."""
    with tls_server(new) as server:
        sender = make_sender(new, server.url, Pins(old.root_pem, new.root_pem))
        outbox.put(event(clock))
        assert sender.post_once().outcome is Outcome.SENT
        assert kept == [Pins(new.root_pem)]
        sender.close()
    with tls_server(old, port=server.port) as thief:
        outbox.put(event(clock))

        assert sender.post_once().outcome is Outcome.UNPROVEN
        assert thief.batches == []


def test_while_the_root_in_use_proves_the_server_the_next_one_waits(
    old: Certificates,
    new: Certificates,
    outbox: Outbox,
    clock: ManualClock,
    kept: list[Pins],
    make_sender: Callable[..., Sender],
) -> None:
    with tls_server(old) as server:
        sender = make_sender(old, server.url, Pins(old.root_pem, new.root_pem))
        outbox.put(event(clock))

        assert sender.post_once().outcome is Outcome.SENT
        assert kept == []


@pytest.mark.parametrize("announced", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAA=="])
def test_an_announcement_that_is_no_certificate_stops_nothing(
    old: Certificates,
    outbox: Outbox,
    clock: ManualClock,
    kept: list[Pins],
    make_sender: Callable[..., Sender],
    announced: str,
) -> None:
    with tls_server(old) as server:
        server.ca_next = announced
        sender = make_sender(old, server.url, Pins(old.root_pem))
        outbox.put(event(clock))

        assert sender.post_once().outcome is Outcome.SENT
        assert kept == []


def test_an_answer_refused_by_its_status_announces_nothing(
    old: Certificates,
    new: Certificates,
    outbox: Outbox,
    clock: ManualClock,
    kept: list[Pins],
    make_sender: Callable[..., Sender],
) -> None:
    with tls_server(old) as server:
        body = json.dumps({"ack": {}, "ca_next": new.root_pem}).encode()
        server.script.append(Scripted(503, body=body))
        sender = make_sender(old, server.url, Pins(old.root_pem))
        outbox.put(event(clock))

        assert sender.post_once().outcome is Outcome.RETRY
        assert kept == []


@pytest.mark.parametrize("value", [7, ["x"], {}, "x" * 16385])
def test_an_announcement_of_another_shape_is_no_answer(value: object) -> None:
    with pytest.raises(CodecError, match="ca_next"):
        decode_answer(json.dumps({"ack": {}, "ca_next": value}).encode())
