"""One UDP socket through which a sweep asks for SNMP agents, and what came back."""

import asyncio
from typing import Any

from kiemke.collectors.discover.door import Leave
from kiemke.collectors.snmp import hello
from kiemke.collectors.snmp.hello import Hello

SNMP_PORT = 161


class Asker(asyncio.DatagramProtocol):
    """Asks addresses it has leave for; ``answers`` hold the best answer of each, by address."""

    def __init__(self, port: int = SNMP_PORT) -> None:
        self._port = port
        self._number = hello.new_number()
        self._questions = (hello.ask_v3(self._number), hello.ask_v2c(self._number))
        self._transport: asyncio.DatagramTransport | None = None
        self._asked: set[str] = set()
        self.answers: dict[str, Hello] = {}

    async def open(self) -> None:
        """Bind the socket. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self,
            local_addr=("0.0.0.0", 0),  # noqa: S104  # answers come to any address of this machine
        )

    def ask(self, leave: Leave) -> None:
        """Send both questions to an address (two packets)."""
        if self._transport is not None:
            self._asked.add(leave.address)
            for question in self._questions:
                self._transport.sendto(question, (leave.address, self._port))

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take an answer, of somebody who was asked, from the port that was asked."""
        address, port = str(addr[0]), addr[1]
        if address not in self._asked or port != self._port:
            return
        found = hello.read(data, self._number)
        if found is not None and (found.values or address not in self.answers):
            self.answers[address] = found

    def error_received(self, exc: Exception) -> None:
        """Pass over "port unreachable": no agent is there."""

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
