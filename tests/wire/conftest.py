"""Fixtures of the wire's tests: a clock set by hand, and outboxes that are closed after the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiemke.wire.outbox import Outbox
from tests.support.senders import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def open_outbox(clock: ManualClock) -> Iterator[Callable[..., Outbox]]:
    """Opens outboxes with the test's clock and closes them after it."""
    opened: list[Outbox] = []

    def opening(path: Path, **bounds: float) -> Outbox:
        opened.append(Outbox(path, clock, **bounds))
        return opened[-1]

    yield opening
    for outbox in opened:
        outbox.close()
