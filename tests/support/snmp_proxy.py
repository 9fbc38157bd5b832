"""A UDP relay on loopback that loses, repeats, delays, cuts or garbles what passes through it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

# What becomes of one datagram: (seconds of delay, bytes) for each copy that goes on. The number
# counts the datagrams of that direction from 0.
Fate = Callable[[int, bytes], list[tuple[float, bytes]]]


def pass_on(_number: int, data: bytes) -> list[tuple[float, bytes]]:
    """Hand the datagram on untouched."""
    return [(0.0, data)]


@dataclass
class UdpProxy(asyncio.DatagramProtocol):
    """One side of the relay faces the client; ``port`` is where it listens."""

    upstream: tuple[str, int]
    to_agent: Fate = pass_on
    to_client: Fate = pass_on
    port: int = 0
    requests: int = 0
    answers: int = 0
    client: tuple[str, int] | None = None
    down: asyncio.DatagramTransport | None = None
    up: asyncio.DatagramTransport | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.client = addr
        for delay, copy in self.to_agent(self.requests, data):
            self._later(delay, self.up, copy, None)
        self.requests += 1

    def answer_received(self, data: bytes) -> None:
        for delay, copy in self.to_client(self.answers, data):
            self._later(delay, self.down, copy, self.client)
        self.answers += 1

    def _later(
        self,
        delay: float,
        side: asyncio.DatagramTransport | None,
        data: bytes,
        address: tuple[str, int] | None,
    ) -> None:
        assert side is not None
        loop = asyncio.get_running_loop()
        self.timers.append(loop.call_later(delay, side.sendto, data, address))


class _Upstream(asyncio.DatagramProtocol):
    def __init__(self, proxy: UdpProxy) -> None:
        self.proxy = proxy

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.proxy.answer_received(data)


@asynccontextmanager
async def relay(
    host: str, port: int, *, to_agent: Fate = pass_on, to_client: Fate = pass_on
) -> AsyncIterator[UdpProxy]:
    """Yield a running relay to ``host:port``."""
    loop = asyncio.get_running_loop()
    proxy = UdpProxy((host, port), to_agent, to_client)
    proxy.up, _ = await loop.create_datagram_endpoint(
        lambda: _Upstream(proxy), remote_addr=(host, port)
    )
    proxy.down, _ = await loop.create_datagram_endpoint(lambda: proxy, local_addr=("127.0.0.1", 0))
    proxy.port = proxy.down.get_extra_info("sockname")[1]
    try:
        yield proxy
    finally:
        for timer in proxy.timers:
            timer.cancel()
        proxy.up.close()
        proxy.down.close()
