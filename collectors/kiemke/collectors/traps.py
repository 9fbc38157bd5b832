"""Traps while the collector runs: off unless ``kiemke-collector traps on`` was said.

A trap of an assigned device makes it be polled now; one that is proven is sent as an event too. LLDP
names, host names and communities in packets are nobody's identity: the device is the one assigned with
that address.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.credentials import Credential
from kiemke.collectors.device_poll import find_credential
from kiemke.collectors.errors import ConfigError
from kiemke.collectors.snmp.trap_engines import FILE_NAME as ENGINES_FILE
from kiemke.collectors.snmp.trap_engines import TrapEngines
from kiemke.collectors.snmp.traps import Sender, Trap, TrapReceiver
from kiemke.collectors.traps_command import load_listen
from kiemke.wire.pin import Address
from kiemke.wire.report import Event

log = logging.getLogger(__name__)

LAST_OF_WELL_KNOWN_PORTS = 1023

Emit = Callable[[str, Event], Awaitable[None]]
Nudge = Callable[[DeviceTask], None]


class TrapWatch:
    """Opens and closes the port as the settings say, and hands on what comes."""

    def __init__(self, state: Path, nudge: Nudge, emit: Emit) -> None:
        self._state = state
        self._nudge = nudge
        self._emit = emit
        self._by_address: dict[str, list[tuple[DeviceTask, Credential | None]]] = {}
        self._by_device: dict[int, DeviceTask] = {}
        self._listen: Address | None = None
        self._receiver: TrapReceiver | None = None
        self._engines = TrapEngines(state / ENGINES_FILE)
        self._sending: set[asyncio.Task[None]] = set()
        self.trouble: str | None = None

    def assign(self, tasks: Iterable[DeviceTask], credentials: Mapping[str, Credential]) -> None:
        """Take over the devices whose traps count, and what they are polled with."""
        found: dict[str, list[tuple[DeviceTask, Credential | None]]] = defaultdict(list)
        for task in tasks:
            found[task.address].append((task, find_credential(credentials, task)))
        self._by_address = dict(found)
        self._by_device = {task.device: task for rows in found.values() for task, _ in rows}

    async def keep(self) -> None:
        """Begin, move or end listening as traps.json says; trouble is told and tried again."""
        try:
            wanted = load_listen(self._state)
            if wanted != self._listen or self.trouble is not None:
                await self._change(wanted)
            self.trouble = None
        except ConfigError as err:
            if str(err) != self.trouble:
                log.error("traps not awaited", extra={"reason": str(err)})
            self.trouble = str(err)

    async def _change(self, wanted: Address | None) -> None:
        self.close()
        self._listen = wanted
        if wanted is None:
            return
        receiver = TrapReceiver(self._senders, self._take, self._engines)
        try:
            port = await receiver.open(wanted.host, wanted.port)
        except OSError as err:
            hint = ""
            if wanted.port <= LAST_OF_WELL_KNOWN_PORTS:
                hint = "; give the service the right to bind it, or choose a port above 1023"
            raise ConfigError(f"traps: {wanted.host}:{wanted.port}: {err.strerror}{hint}") from err
        self._receiver = receiver
        log.info("traps", extra={"listen": f"{wanted.host}:{port}"})

    def close(self) -> None:
        """Give the port back."""
        if self._receiver is not None:
            self._receiver.close()
            self._receiver = None

    def state(self) -> dict[str, object] | None:
        """Return where it listens and what came, None while it does not."""
        if self._receiver is None or self._listen is None:
            return None
        listen = f"{self._listen.host}:{self._listen.port}"
        return {"listen": listen, "counts": dict(self._receiver.counts)}

    def _senders(self, address: str) -> list[Sender]:
        rows = self._by_address.get(address, ())
        return [Sender(task.device, credential) for task, credential in rows]

    def _take(self, sender: Sender, trap: Trap) -> None:
        """Have the device polled now; send what is proven as an event."""
        about = {"device": sender.device, "trap": trap.name, "version": trap.version}
        log.info("trap", extra={**about, "proven": trap.is_proven})
        self._nudge(self._by_device[sender.device])
        if trap.is_proven:
            detail = {"device": str(sender.device), "trap": trap.name, "oid": trap.oid}
            self._keep_engines()
            event = Event("trap", {**detail, **trap.detail})
            sending = asyncio.ensure_future(self._emit("event", event))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    def _keep_engines(self) -> None:
        """Write when the engine spoke before the event is told, or a copy were news after a restart."""
        try:
            self._engines.keep(self._by_address.__contains__)
        except OSError as err:
            log.warning("engines of traps not kept", extra={"reason": err.strerror})
