"""An agent that is named its site's probe: it pings a short list, and that is all it can be told.

At most six addresses, five echo requests each, once a sample; no credential, no other protocol, no port
that the server chooses. Where this account may not ping, the time to a refused or taken TCP connection
stands for it. The list is kept, so that a restart without the server goes on.
"""

import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from kiemke.agent.files import StateError, read_json, write_json
from kiemke.agent.journal import warn
from kiemke.agent.sensors import reach
from kiemke.wire.echo import summarise
from kiemke.wire.report import PROBE_PURPOSES, ProbeTask, Reach, Reachability

FILE = "probes.json"
MOST_TARGETS = 6
MOST_COUNT = 5
MOST_ID = 2**63 - 1
DEADLINE_SECONDS = 1.0
TCP_PORTS = (53, 80, 443)  # a router, an ISP's edge or a public site has or refuses one of them
POST_SECONDS = 60.0  # a line's state is live only while it is told as it is seen
NO_WAY = (
    "no right to send ICMP and no TCP port answers: run sysctl "
    "net.ipv4.ping_group_range='0 2147483647' on this PC"
)

Ping = Callable[[Mapping[str, str]], list[Reach]]


def allowed(asked: tuple[ProbeTask, ...]) -> tuple[ProbeTask, ...]:
    """Return what of the server's list this agent does; the rest is left out and told in the log."""
    if not asked:
        return ()
    # Half a megabyte that no other office PC needs.
    import ipaddress

    from kiemke.wire.reach import is_never

    kept: dict[int, ProbeTask] = {}
    for task in asked:
        try:
            address = ipaddress.IPv4Address(task.address)
        except ValueError:
            address = None
        if (
            address is None
            or is_never(address)
            or task.purpose not in PROBE_PURPOSES
            or not 1 <= task.target <= MOST_ID
            or len(kept) == MOST_TARGETS
        ):
            warn("probe refused", target=task.target, address=task.address, purpose=task.purpose)
            continue
        count = min(MOST_COUNT, max(1, task.count))
        kept[task.target] = ProbeTask(task.target, str(address), count, task.purpose)
    return tuple(kept.values())


class Prober:
    """Probes in a thread of its own; ``spool`` takes each target's round."""

    def __init__(
        self, folder: Path, spool: Callable[[Reachability], object], ping: Ping = reach.ping
    ) -> None:
        """Take the kept list, if any."""
        self._file = folder / FILE
        self._spool = spool
        self._ping = ping
        self._ports: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self.tasks = self._kept()

    def heed(self, asked: tuple[ProbeTask, ...]) -> None:
        """Take the list of the server's last answer; an empty one ends the probing."""
        if not asked and not self.tasks:
            return
        tasks = allowed(asked)
        if tasks == self.tasks:
            return
        self.tasks = tasks
        try:
            if tasks:
                rows = [[t.target, t.address, t.count, t.purpose] for t in tasks]
                write_json(self._file, {"probes": rows})
            else:
                self._file.unlink(missing_ok=True)
        except (StateError, OSError) as err:
            warn("probes not kept", reason=str(err))

    def begin(self) -> None:
        """Start a round; the one that still runs is left alone."""
        if not self.tasks or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(
            target=self.look, args=(self.tasks,), name="probe", daemon=True
        )
        self._thread.start()

    def look(self, tasks: tuple[ProbeTask, ...]) -> None:
        """Ask every target and spool what came of it."""
        sent = dict.fromkeys((task.target for task in tasks), 0)
        times: dict[int, list[float]] = {task.target: [] for task in tasks}
        may_ping = True
        for turn in range(max(task.count for task in tasks)):
            due = {str(task.target): task.address for task in tasks if turn < task.count}
            found = self._ping(due) if may_ping else []
            if not found:
                may_ping = False
                found = [r for name, to in due.items() if (r := self._connect(name, to))]
            for one in found:
                sent[int(one.target)] += one.sent
                if one.rtt_seconds is not None:
                    times[int(one.target)].append(one.rtt_seconds)
        for task in tasks:
            if sent[task.target]:
                self._spool(summarise(task.target, sent[task.target], times[task.target]))
            else:
                self._spool(Reachability(task.target, 0, 0, detail=NO_WAY))

    def _connect(self, name: str, address: str) -> Reach | None:
        """Return the time of one TCP answer; None where none ever came: that says nothing.

        A target that has answered before and is silent now was lost.
        """
        known = self._ports.get(address)
        for port in TCP_PORTS if known is None else (known,):
            began = time.monotonic()
            try:
                socket.create_connection((address, port), DEADLINE_SECONDS).close()
            except ConnectionRefusedError:
                pass  # an answer too
            except OSError:
                continue
            self._ports[address] = port
            return Reach(name, 1, 1, time.monotonic() - began)
        return None if known is None else Reach(name, 1, 0, None)

    def _kept(self) -> tuple[ProbeTask, ...]:
        try:
            rows = (read_json(self._file) or {}).get("probes")
            if not isinstance(rows, list):
                return ()
            return allowed(tuple(ProbeTask(int(t), str(a), int(n), str(p)) for t, a, n, p in rows))
        except (StateError, ValueError, TypeError):
            return ()
