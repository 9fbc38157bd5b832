"""Takes the inventory: the sensors run in a child that can be killed.

One hung sensor spoils only its own sections, and the agent's own process does not grow.
"""

import json
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from kiemke.agent.host import Host
from kiemke.agent.journal import warn
from kiemke.agent.program import own_command
from kiemke.agent.sensors import SENSORS, Sensor
from kiemke.wire.inventory import SECTIONS, Row
from kiemke.wire.report import Inventory, Section

DEADLINE_SECONDS = 120.0
MAX_CHILDREN = 4  # each further one is for what the last one's hung sensor kept from its turn
ENDED_EARLY = "the sensors' process ended early"


def take(
    host: Host,
    acked: Mapping[str, str],
    need: Collection[str] = (),
    *,
    sensors: Sequence[Sensor] = SENSORS,
    command: Sequence[str] | None = None,
    deadline_seconds: float = DEADLINE_SECONDS,
) -> tuple[Inventory, dict[str, str]]:
    """Return the Inventory to send and the tokens it makes known.

    A section travels with its rows when its token differs from the one last acknowledged
    (``acked``) or when the server asked for it (``need``); otherwise with its token alone. The
    sections of a sensor that hangs beyond the deadline have status "timeout".
    """
    command = own_command("sense") if command is None else command
    waiting = list(sensors)
    sections: dict[str, Section] = {}
    for _ in range(MAX_CHILDREN):
        if not waiting:
            break
        request = {
            "root": str(host.root),
            "install_id": host.install_id,
            "folder": None if host.folder is None else str(host.folder),
            "acked": dict(acked),
            "need": sorted(need),
            "sensors": [sensor.module for sensor in waiting],
        }
        text, is_late = _run_child(command, json.dumps(request), deadline_seconds)
        answered = _parse(text)
        sections |= {name: one for found in answered.values() for name, one in found.items()}
        waiting = [sensor for sensor in waiting if sensor.module not in answered]
        if waiting:  # the first of them is the one that hung or took the child down
            culprit = waiting.pop(0)
            warn("sensor lost", sensor=culprit.module, timeout=is_late)
            lost = (
                Section("timeout", detail=f"no answer within {deadline_seconds:.0f} s")
                if is_late
                else Section("failed", detail=ENDED_EARLY)
            )
            sections |= dict.fromkeys(culprit.SECTIONS, lost)
    for sensor in waiting:
        sections |= dict.fromkeys(sensor.SECTIONS, Section("failed", detail=ENDED_EARLY))
    ordered = {name: sections[name] for name in SECTIONS if name in sections}
    tokens = {name: one.token for name, one in ordered.items() if one.token is not None}
    return Inventory(ordered), tokens


def _run_child(command: Sequence[str], request: str, deadline_seconds: float) -> tuple[str, bool]:
    """Return what the child printed, and whether it had to be killed at the deadline."""
    try:
        child = subprocess.Popen(  # noqa: S603 - this very program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows alone has it
        )
    except OSError as err:
        warn("sensors not started", reason=str(err))
        return "", False
    with child:
        try:
            return child.communicate(request, timeout=deadline_seconds)[0], False
        except subprocess.TimeoutExpired:
            child.kill()
            return child.communicate()[0], True


def _parse(text: str) -> dict[str, dict[str, Section]]:
    """Return the sections by sensor of every whole line the child printed."""
    found: dict[str, dict[str, Section]] = {}
    for line in text.splitlines():
        try:
            said = json.loads(line)
            found[str(said["sensor"])] = {
                name: _section(name, one) for name, one in said["sections"].items()
            }
        except (ValueError, KeyError, TypeError):
            continue  # the line it was killed in
    return found


def _section(name: str, said: dict[str, Any]) -> Section:
    """Return one section from the child's words. Raises KeyError or TypeError when they are odd."""
    rows = said.get("rows")
    return Section(
        status=said["status"],
        token=said.get("token"),
        rows=None if rows is None else tuple(_row(SECTIONS[name], row) for row in rows),
        detail=said.get("detail"),
    )


def _row(kind: Callable[..., Row], said: dict[str, Any]) -> Row:
    """Return one row; JSON knows lists only, rows hold tuples."""
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in said.items()})
