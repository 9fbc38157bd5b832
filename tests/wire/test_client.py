"""The sender's client against a real TLS server on loopback: order, refusals, waits, lost answers."""

import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiemke.wire.client import Outcome, Sender
from kiemke.wire.outbox import Outbox
from kiemke.wire.pin import Pins
from kiemke.wire.report import Answer
from tests.support.peers import free_port
from tests.support.senders import ManualClock, credentials, event
from tests.support.tls_server import (
    Certificates,
    Requests,
    Scripted,
    make_certificates,
    tls_server,
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[Requests]:
    with tls_server(certificates) as seen:
        yield seen


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outbox(tmp_path: Path, clock: ManualClock) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "o.db", clock)
    yield opened
    opened.close()


@pytest.fixture
def make_sender(
    outbox: Outbox, clock: ManualClock, certificates: Certificates
) -> Iterator[Callable[..., Sender]]:
    """Makes senders of the test's outbox to the given URLs; they are closed after the test."""
    made: list[Sender] = []

    def make(*urls: str, **options: Any) -> Sender:
        options.setdefault("rng", random.Random(1))
        known = credentials(certificates, *urls)
        made.append(Sender(outbox, known, clock, timeout_seconds=5.0, **options))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


def fill(outbox: Outbox, clock: ManualClock, reports: int) -> None:
    outbox.put_many(event(clock, f"user-{n}") for n in range(1, reports + 1))


def sequence(server: Requests) -> list[int]:
    return [seq for _, seq in server.stored]


def test_what_waits_arrives_in_order_and_is_forgotten(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    fill(outbox, clock, 25)
    sender = make_sender(server.url, max_reports=10)

    last = sender.drain(30.0)

    assert last.outcome is Outcome.IDLE
    assert sequence(server) == list(range(1, 26))
    assert [len(batch["reports"]) for batch in server.batches] == [10, 10, 5]
    assert outbox.counts().reports == 0


def test_a_batch_says_who_sends_it_and_when(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    """The server corrects the sender's clock by these."""
    fill(outbox, clock, 1)
    clock.pass_time(60.0)
    make_sender(server.url).post_once()

    (batch,) = server.batches
    (headers,) = server.headers
    assert batch["source"] == "src-1"
    assert batch["sent_at"] == "2026-03-10T01:01:00Z"
    assert batch["sent_uptime_seconds"] == 1060.0
    assert batch["sent_boot_id"] == clock.boot_id
    assert headers["Authorization"] == "Bearer c2VjcmV0"
    assert headers["X-Kiemke-Source"] == "src-1"
    assert headers["Content-Encoding"] == "gzip"


def test_one_connection_serves_many_posts(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    """A TLS handshake for each post would cost the server more than the report does."""
    sender = make_sender(server.url)
    for _ in range(5):
        fill(outbox, clock, 1)
        sender.post_once()

    assert len(server.batches) == 5
    assert len(server.connections) == 1


def test_a_lost_answer_leads_to_a_repeat_and_nothing_twice(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    server.script.append(Scripted(200, drop=True))
    fill(outbox, clock, 3)
    sender = make_sender(server.url)

    first = sender.post_once()
    assert first.outcome is Outcome.RETRY
    assert outbox.counts().reports == 3
    assert sender.post_once().outcome is Outcome.SENT
    assert sequence(server) == [1, 2, 3]
    assert server.repeats == 3


def test_a_connection_the_server_closed_while_idle_is_opened_again_at_once(
    outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender],
    certificates: Certificates,
) -> None:  # fmt: skip
    """A restart of the server between two posts is no failure and must cost no back-off."""
    port = free_port()
    with tls_server(certificates, port) as before:
        sender = make_sender(before.url)
        fill(outbox, clock, 1)
        sender.post_once()
    with tls_server(certificates, port) as after:
        fill(outbox, clock, 1)
        attempt = sender.post_once()

        assert attempt.outcome is Outcome.SENT
        assert sequence(after) == [2]


def test_the_second_address_is_tried_when_the_first_is_dead(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    fill(outbox, clock, 1)
    sender = make_sender(f"https://127.0.0.1:{free_port()}", server.url)

    assert sender.post_once().outcome is Outcome.SENT


def test_a_server_with_another_root_gets_nothing(
    outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender], tmp_path: Path
) -> None:
    with tls_server(make_certificates(tmp_path / "other")) as impostor:
        fill(outbox, clock, 1)
        attempt = make_sender(impostor.url).post_once()

        assert attempt.outcome is Outcome.UNPROVEN
        assert "certificate verify failed" in attempt.detail
        assert impostor.batches == []
        assert outbox.counts().reports == 1


def test_a_leaf_of_the_root_for_another_name_gets_nothing(
    outbox: Outbox, clock: ManualClock, tmp_path: Path
) -> None:
    """The root also signs other things one day; only the server's own name may take reports."""
    certificates = make_certificates(tmp_path / "ca", name="localhost")
    with tls_server(certificates) as other:
        fill(outbox, clock, 1)
        sender = Sender(outbox, credentials(certificates, other.url), clock)
        attempt = sender.post_once()
        sender.close()

        assert attempt.outcome is Outcome.UNPROVEN
        assert other.batches == []


def test_a_pc_whose_clock_is_in_2038_still_reports(
    outbox: Outbox, clock: ManualClock, tmp_path: Path
) -> None:
    """To such a PC the server's leaf has expired; here it truly has, which is the same to TLS."""
    certificates = make_certificates(
        tmp_path / "ca", not_after=datetime.now(UTC) - timedelta(days=1)
    )
    with tls_server(certificates) as server:
        fill(outbox, clock, 1)
        sender = Sender(outbox, credentials(certificates, server.url), clock)
        attempt = sender.post_once()
        sender.close()

        assert attempt.outcome is Outcome.SENT


def test_the_root_that_will_follow_is_believed_too(
    server: Requests, outbox: Outbox, clock: ManualClock, certificates: Certificates, tmp_path: Path
) -> None:
    """Roots change while PCs are switched off: both must work for a while."""
    old = make_certificates(tmp_path / "old")
    known = credentials(old, server.url)
    known = type(known)(
        known.source, known.secret, known.addresses, Pins(old.root_pem, certificates.root_pem)
    )
    fill(outbox, clock, 1)
    sender = Sender(outbox, known, clock)
    attempt = sender.post_once()
    sender.close()

    assert attempt.outcome is Outcome.SENT


def test_one_poison_report_among_a_thousand_is_set_aside_and_told(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    """A server that cannot digest one report refuses whole batches; the good ones must pass."""
    server.refuse = lambda report: report["body"]["detail"].get("user") == "user-377"
    fill(outbox, clock, 1000)

    last = make_sender(server.url).drain(60.0)

    assert last.outcome is Outcome.IDLE
    events = [one["body"] for one in server.stored.values()]
    users = [one["detail"]["user"] for one in events if one["name"] == "session"]
    (told,) = [one["detail"] for one in events if one["name"] == "outbox"]
    assert users == [f"user-{n}" for n in range(1, 1001) if n != 377]
    assert (told["reason"], told["first_seq"], told["reports"]) == ("refused", "377", "1")
    assert told["detail"].startswith("422")
    assert outbox.counts().dead == 1
    assert server.repeats == 0


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_batch_is_halved_and_grows_again(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender],
    status: int,
) -> None:  # fmt: skip
    server.script.extend([Scripted(status), Scripted(status)])
    fill(outbox, clock, 30)

    make_sender(server.url, max_reports=16).drain(30.0)

    assert [len(batch["reports"]) for batch in server.batches] == [16, 8, 4, 8, 16, 2]
    assert sequence(server) == list(range(1, 31))


def test_a_rejected_report_is_dead_here_and_blocks_nobody(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    """The server has set it aside and acknowledged it: it will not be asked for again."""
    server.reject = lambda report: "unknown kind" if report["seq"] == 2 else None
    fill(outbox, clock, 3)

    make_sender(server.url).drain(30.0)

    assert sequence(server) == [1, 3]
    assert (outbox.counts().reports, outbox.counts().dead) == (0, 1)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, Outcome.UNKNOWN_SENDER), (403, Outcome.FORBIDDEN), (409, Outcome.CONFLICT)],
)
def test_a_server_that_does_not_want_us_is_left_alone_and_said_so(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender],
    status: int, outcome: Outcome,
) -> None:  # fmt: skip
    """Nothing is thrown away: an administrator may change their mind."""
    server.script.append(Scripted(status))
    fill(outbox, clock, 2)

    attempt = make_sender(server.url).post_once()

    assert attempt.outcome is outcome
    assert attempt.detail
    assert attempt.wait_seconds >= 300.0
    assert outbox.counts().reports == 2


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("120", 120.0, 150.0),
        ("Tue, 10 Mar 2026 01:02:00 GMT", 120.0, 150.0),
        ("999999999", 3600.0, 3630.0),
        ("Mon, 09 Mar 2026 01:02:00 GMT", 0.0, 5.0),
        ("soon", 0.0, 5.0),
        ("-5", 0.0, 5.0),
    ],
)
def test_retry_after_is_obeyed_within_reason(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender],
    header: str, least: float, most: float,
) -> None:  # fmt: skip
    server.script.append(Scripted(503, {"Retry-After": header}))
    fill(outbox, clock, 1)

    attempt = make_sender(server.url).post_once()

    assert attempt.outcome is Outcome.RETRY
    assert least < attempt.wait_seconds <= most


def test_back_off_grows_to_its_bound_spreads_out_and_starts_over(
    outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender],
    certificates: Certificates,
) -> None:  # fmt: skip
    """20,000 PCs whose server comes back must not all knock in the same second."""
    port = free_port()
    fill(outbox, clock, 1)
    sender = make_sender(f"https://127.0.0.1:{port}", rng=random.Random(7))
    waits = [sender.post_once().wait_seconds for _ in range(40)]

    assert waits[0] <= 5.0
    assert max(waits) > 300.0
    assert max(waits) <= 900.0
    assert min(waits[10:]) < 200.0  # full jitter: early ones too, not a band at the top

    with tls_server(certificates, port):
        assert sender.post_once().outcome is Outcome.SENT
    fill(outbox, clock, 1)
    assert sender.post_once().wait_seconds <= 5.0


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b'{"ack": {"x": 1}}', b'{"ack": {}}', b"[" * 100_000, b"\xff\xfe"],
)
def test_an_answer_that_is_none_forgets_nothing(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender],
    body: bytes,
) -> None:  # fmt: skip
    """A captive portal or a broken proxy may say 200 to anything."""
    server.script.append(Scripted(200, body=body))
    fill(outbox, clock, 2)

    attempt = make_sender(server.url).post_once()

    assert attempt.outcome is Outcome.RETRY
    assert attempt.wait_seconds > 0
    assert outbox.counts().reports == 2


def test_the_answer_is_handed_on_before_its_reports_are_forgotten(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    heard: list[tuple[Answer, int]] = []
    server.settings = {"sample_seconds": 120}
    fill(outbox, clock, 2)
    sender = make_sender(
        server.url, on_answer=lambda answer: heard.append((answer, outbox.counts().reports))
    )

    sender.drain(10.0)

    ((answer, waiting),) = heard
    assert answer.ack == {outbox.stream: 2}
    assert answer.settings.sample_seconds == 120
    assert waiting == 2


def test_only_one_request_is_in_flight(
    server: Requests, outbox: Outbox, clock: ManualClock, make_sender: Callable[..., Sender]
) -> None:
    """Two at once would overtake each other and leave gaps in the order."""
    fill(outbox, clock, 200)
    sender = make_sender(server.url, max_reports=5)
    threads = [threading.Thread(target=sender.drain, args=(30.0,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sequence(server) == list(range(1, 201))
    assert server.repeats == 0


def test_secrets_do_not_show_when_credentials_are_printed(certificates: Certificates) -> None:
    assert "c2VjcmV0" not in repr(credentials(certificates, "https://10.0.0.1:8443"))
