"""``kiemke-collector probe snmp``: asks devices what they are and prints it, one after the other."""

import asyncio
import collections
import dataclasses
import ipaddress
import json
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from kiemke.collectors.assignment import check_address
from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import CollectorError, ConfigError, PollError
from kiemke.collectors.identify import Identity, identify
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.reader import Tuning
from kiemke.collectors.tongue import in_tongue
from kiemke.collectors.trace import Trace, no_trace, trace_to
from kiemke.wire.secret import Secret

SNMP_PORT = 161
BUDGET_SECONDS = 60.0
ATTEMPT_SECONDS = 3.0
AT_ONCE = 12
# An answer as late as this says that the line, a device or this machine is busy.
LATE_SECONDS = 1.0
PATIENT_SECONDS, AT_ONCE_AGAIN = 8.0, 4
# Devices asked with one set of engines; more communities in one make its look-ups slow.
PER_ENGINES = 24
TARGET_KEYS = {"id", "host", "port", "community", "credential"}
SHOWN = ("vendor", "kind", "model", "version", "serial", "name", "location")


@dataclass(frozen=True, slots=True)
class Target:
    """One device to ask: ``id`` is the caller's own name for it, given back beside the answer."""

    id: str
    host: str
    port: int
    credential: Credential


def read_targets(path: Path, credentials: Mapping[str, Credential]) -> list[Target]:
    """Return the targets of a file of JSON objects, one a line.

    Keys: ``host`` (needed), ``port`` (161), ``id`` (the host), and either ``community`` (SNMP v2c) or
    ``credential`` (a section of credentials.toml, "default"). Raises ConfigError with the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read ({type(err).__name__}); check the path") from err
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(_read_target(f"{path}: line {number}", line, credentials))
    return found


def _read_target(where: str, line: str, credentials: Mapping[str, Credential]) -> Target:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as err:
        # The line may hold a community, so none of it is shown.
        raise ConfigError(f"{where}: not a JSON object; correct that line") from err
    if not isinstance(given, dict) or not isinstance(given.get("host"), str):
        raise ConfigError(f'{where}: needs an object with "host"; correct that line')
    strange = sorted(given.keys() - TARGET_KEYS)
    if strange:
        known = ", ".join(sorted(TARGET_KEYS))
        raise ConfigError(f'{where}: unknown key "{strange[0]}"; known: {known}')
    port = given.get("port", SNMP_PORT)
    if not isinstance(port, int) or not 1 <= port <= 65535:
        raise ConfigError(f'{where}: "port" must be a number from 1 to 65535')
    name = str(given.get("id", given["host"]))
    community = given.get("community")
    if isinstance(community, str) and community:
        credential = Credential("target", "2c", community=Secret(community))
        return Target(name, given["host"], port, credential)
    wanted = str(given.get("credential", "default"))
    return Target(name, given["host"], port, find_credential(wanted, credentials, where))


def find_credential(name: str, credentials: Mapping[str, Credential], where: str) -> Credential:
    """Return the credential of that name. Raises ConfigError naming those there are."""
    if name not in credentials:
        there = ", ".join(sorted(credentials)) or "none"
        raise ConfigError(f"{where}: no [{name}] in credentials.toml; there are: {there}")
    return credentials[name]


def split_host(text: str, credential: Credential) -> Target:
    """Return the target of ``HOST``, ``HOST:PORT`` or ``[V6]:PORT``. Raises ConfigError."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        return Target(text, text, SNMP_PORT, credential)
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ConfigError(f"{text}: the port must be a number from 1 to 65535")
    return Target(text, host.removeprefix("[").removesuffix("]"), int(port), credential)


async def probe_all(
    targets: Sequence[Target],
    *,
    as_json: bool,
    debug: bool,
    out: TextIO,
    at_once: int = AT_ONCE,
    patience_seconds: float = ATTEMPT_SECONDS,
) -> int:
    """Ask every target, some at a time, and print each answer when it is there.

    What did not answer is printed last; where answers came late, it is asked once more before, with
    more patience and few at a time: then silence may be ours. Returns how many did not answer.
    """
    run = _Run(as_json, trace_to(sys.stderr) if debug else no_trace, out, patience_seconds)
    await run.ask_all(_merge_communities(targets), at_once)
    held, run.held = run.held, []
    if run.slowest_seconds < LATE_SECONDS:
        for target, identity, seconds in held:
            run.print(target, identity, seconds)
    elif held:
        run.patience_seconds = PATIENT_SECONDS
        await run.ask_all([target for target, _, _ in held], AT_ONCE_AGAIN)
        before = {target: identity for target, identity, _ in held}
        for target, identity, seconds in run.held:
            # What was told in part the first time is not lost by silence the second.
            better = before[target] if identity.object_id is None else identity
            run.print(target, better, seconds)
    return run.silent


@dataclass(slots=True)
class _Run:
    """One call of the command: what is held back since it is not whole, and how late answers came."""

    as_json: bool
    trace: Trace
    out: TextIO
    patience_seconds: float = ATTEMPT_SECONDS
    slowest_seconds: float = 0.0
    silent: int = 0
    held: list[tuple[Target, Identity, float]] = field(default_factory=list)

    async def ask_all(self, targets: Sequence[Target], at_once: int) -> None:
        """Ask the targets, so many at a time; print what is whole, hold the rest."""
        waiting = collections.deque(targets)

        async def work() -> None:
            while waiting:
                engines = Engines(share_v2c=True)
                try:
                    for _ in range(min(PER_ENGINES, len(waiting))):
                        if not waiting:
                            break
                        await self._ask(waiting.popleft(), engines)
                finally:
                    engines.close()
                    await asyncio.sleep(0)  # let the closed sockets' callbacks run

        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(targets))):
                group.create_task(work())

    async def _ask(self, target: Target, engines: Engines) -> None:
        begun, tuning = time.monotonic(), Tuning()
        identity = await probe(target, engines, self.trace, tuning, self.patience_seconds)
        seconds = time.monotonic() - begun
        self.slowest_seconds = max(self.slowest_seconds, tuning.slowest_seconds)
        if identity.error is None:
            self.print(target, identity, seconds)
        else:
            self.held.append((target, identity, seconds))

    def print(self, target: Target, identity: Identity, seconds: float) -> None:
        """Print an answer, and count it when it is none."""
        row: dict[str, object] = {"id": target.id, "host": target.host, "port": target.port}
        row |= dataclasses.asdict(identity)
        row["seconds"] = round(seconds, 3)
        is_json = self.as_json
        lines = [json.dumps(row, ensure_ascii=False)] if is_json else map(in_tongue, show(row))
        print("\n".join(lines), file=self.out, flush=True)
        self.silent += identity.object_id is None and identity.error is not None


def _merge_communities(targets: Sequence[Target]) -> list[Target]:
    """Return the targets with one v2c credential per community, as a shared engine asks for."""
    by_community: dict[Secret, Credential] = {}
    found = []
    for target in targets:
        community = target.credential.community
        if community is not None:
            name = f"community {len(by_community)}"
            one = by_community.setdefault(community, Credential(name, "2c", community=community))
            target = dataclasses.replace(target, credential=one)
        found.append(target)
    return found


async def probe(
    target: Target,
    engines: Engines,
    trace: Trace = no_trace,
    tuning: Tuning | None = None,
    patience_seconds: float = ATTEMPT_SECONDS,
) -> Identity:
    """Return what one device is; one that does not answer has only an ``error``."""
    try:
        address = await _resolve(target.host, target.port)
        reader = await engines.reader(
            address,
            target.port,
            target.credential,
            tuning or Tuning(),
            attempt_seconds=patience_seconds,
            trace=trace,
        )
        return await identify(reader, Deadline(BUDGET_SECONDS), trace=trace)
    except PollError as err:
        return Identity(error=err.detail)
    except CollectorError as err:
        return Identity(error=str(err))


async def _resolve(host: str, port: int) -> str:
    """Return the address of a host. Raises ConfigError when it has none or may not be asked."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except socket.gaierror as err:
            raise ConfigError(f"{host}: name not found; give the address") from err
        host = str(found[0][4][0])
    try:
        return check_address(host)
    except ValueError as err:
        raise ConfigError(f"{host}: {err}") from err


def show(row: Mapping[str, object]) -> Iterable[str]:
    """Return one device as lines for a reader; what it does not tell is left out."""
    yield f"{row['id']}"
    for key in SHOWN:
        if row[key] is not None:
            yield f"  {key:10} {in_tongue(str(row[key])) if key == 'kind' else row[key]}"
    ports = row["interfaces"]
    if isinstance(ports, tuple) and ports:
        up = sum(1 for port in ports if port["oper_status"] == "up")
        yield f"  {'interfaces':10} {len(ports)}, {up} up"
    if row["error"] is not None:
        yield f"  {'trouble':10} {row['error']}"
