"""The date of an answer, and how far the clocks are apart."""

from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.wire.client import Sender, clock_offset
from kiemke.wire.dates import read_http_date
from kiemke.wire.outbox import Outbox
from tests.support.senders import ManualClock, credentials, event
from tests.support.tls_server import Certificates, Scripted, make_certificates, tls_server


@given(st.integers(0, 253_402_300_799))
def test_every_date_is_read_as_it_was_written(seconds: int) -> None:
    """From 1970 to the year 9999."""
    assert read_http_date(formatdate(seconds, usegmt=True)) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
     "Sun, 06 Xxx 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_http_date(text) is None


@pytest.mark.parametrize(
    ("told", "sent", "answered", "offset"),
    [
        (1000.0, 1000.2, 1000.4, 0.0),
        (1000.0, 1000.9, 1001.1, 0.0),  # the second turned meanwhile
        (1000.0, 995.0, 1000.1, 0.0),  # a slow answer leaves that much open
        (1000.0, 940.1, 940.3, 60.0),  # ours is behind: above 0
        (1000.0, 1060.1, 1060.3, -60.0),
    ],
)
def test_the_offset_is_the_servers_clock_less_ours(
    told: float, sent: float, answered: float, offset: float
) -> None:
    assert clock_offset(told, sent, answered) == offset


def test_a_sender_learns_it_from_every_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    certificates: Certificates = make_certificates(tmp_path_factory.mktemp("ca"))
    clock = ManualClock(moment=datetime.now(UTC) - timedelta(days=365))
    outbox = Outbox(tmp_path_factory.mktemp("box") / "outbox.db", clock, 1.0)
    outbox.put(event(clock))
    with tls_server(certificates) as server:
        server.script.append(Scripted(503))
        sender = Sender(outbox, credentials(certificates, server.url), clock)
        before = sender.clock_offset_seconds
        sender.post_once()
        behind = sender.clock_offset_seconds
        sender.close()
    outbox.close()

    assert before is None
    assert behind is not None and abs(behind - 365 * 86_400) < 30
