"""`kiemke-agent doctor`: what keeps this agent from reporting, a line a check, with what to do."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from kiemke.agent.doctor import machine, network
from kiemke.agent.doctor.result import BAD, CHECKS, MARKS, NAMES, UNKNOWN, Result
from kiemke.agent.sensors import time_source
from kiemke.agent.sensors.errors import SensorError
from kiemke.agent.state import AgentIdentity, StateFolder
from kiemke.agent.terminal import say
from kiemke.agent.words import Both, speak
from kiemke.wire.inventory import TimeSource
from kiemke.wire.mouth import open_mouth
from kiemke.wire.pin import Address, parse_address

NOTHING_TO_TRY = Both("chưa thử được", "not tried")
NETWORK = ("dns", "proxy", "line", "tls", "admission", "clock")


def run(state: Path, *, as_json: bool = False) -> int:
    """Check everything, send no report; return 0, or 1 when something has to be done."""
    open_mouth()
    results = examine(StateFolder(state), datetime.now(UTC))
    if as_json:
        told = [one._asdict() for one in results]
        say(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _print(results)
    return 1 if any(one.state == BAD for one in results) else 0


def examine(folder: StateFolder, now: datetime) -> list[Result]:
    """Return the result of every check, in the order of CHECKS."""
    enrolment, identity = machine.check_enrolment(folder)
    found = [
        enrolment,
        machine.check_rights(folder),
        machine.check_disk(folder),
        machine.check_outbox(folder),
        *_network(identity),
        machine.check_service(folder, now),
    ]
    order = [check.name for check in CHECKS]
    return sorted(found, key=lambda one: order.index(one.name))


def _network(identity: AgentIdentity | None) -> Iterable[Result]:
    """Return the lines about the network; of none without a server to go to."""
    addresses: tuple[Address, ...] = ()
    if identity is not None and identity.source is not None:
        try:
            addresses = tuple(parse_address(url) for url in identity.urls)
        except ValueError as err:
            return [Result(name, UNKNOWN, str(err)) for name in NETWORK]
    if identity is None or not addresses:
        return [Result(name, UNKNOWN, speak(NOTHING_TO_TRY)) for name in NETWORK]
    return [_with_source(one) for one in network.check_network(identity, addresses)]


def _with_source(result: Result) -> Result:
    """Return the clock's line with where this machine has the time from, others as they are."""
    if result.name != "clock":
        return result
    # The sensor's own answer, as the inventory tells it.
    from kiemke.agent.host import open_host

    try:
        rows = time_source.read(open_host(Path("/"), "", None)).get("time", ())
    except (SensorError, OSError):
        return result
    for row in rows:
        if isinstance(row, TimeSource):
            source = " ".join(filter(None, (row.kind, ", ".join(row.servers))))
            words = Both("{seen}; lấy giờ từ: {source}", "{seen}; time from: {source}")
            return result._replace(seen=speak(words, seen=result.seen, source=source))
    words = Both("{seen}; không có nguồn giờ", "{seen}; no time source")
    return result._replace(seen=speak(words, seen=result.seen))


def _print(results: Iterable[Result]) -> None:
    """Write a line a check, its remedy under it."""
    marks = {state: speak(words) for state, words in MARKS.items()}
    width = max(len(speak(words)) for words in NAMES.values())
    beside = max(map(len, marks.values()))
    for one in results:
        say(f"{marks[one.state]:{beside}}  {speak(NAMES[one.name]):{width}}  {one.seen}")
        if one.remedy:
            say(f"{'':{beside}}  {'':{width}}  → {one.remedy}")
