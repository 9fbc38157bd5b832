"""The players' HTTPS pool: a cancellation is never lost to the answer it comes with."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from bench import https
from kiemke.wire.pin import Address, Pins
from tests.support.tls_server import make_certificates


class _Writer:
    """What an exchange needs of a stream's writer; the socket is not part of this question."""

    def __init__(self) -> None:
        self.transport = self

    def write(self, data: bytes) -> None:
        """Take anything."""

    async def drain(self) -> None:
        """Have room at once."""

    def abort(self) -> None:
        """Nothing is open."""


def test_a_cancellation_that_comes_with_the_answer_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pins = Pins(make_certificates(tmp_path).root_pem)
    went_on: list[bool] = []

    async def play() -> None:
        player = asyncio.create_task(ask())
        with contextlib.suppress(asyncio.CancelledError):
            await player
        assert player.cancelled()

    async def ask() -> None:
        me = asyncio.current_task()
        assert me is not None

        async def answer_while_cancelled(_: asyncio.StreamReader) -> https.Reply:
            me.cancel()
            return https.Reply(200, {"connection": "close"}, b"")

        monkeypatch.setattr(https, "_read_reply", answer_while_cancelled)
        pool = https.Pool(Address("127.0.0.1", 1), pins)
        connection = https._Connection(asyncio.StreamReader(), _Writer())  # type: ignore[arg-type]
        await pool._exchange(connection, b"")
        await asyncio.sleep(0)
        went_on.append(True)

    asyncio.run(play())
    assert went_on == []
