"""`kiemke-agent sense`: the child that runs the sensors, one JSON line for each, as it goes.

The agent's own process gives it a request on standard input (see ``kiemke.agent.inventory``) and may
kill it at any moment; what it printed until then counts.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from kiemke.agent import kept
from kiemke.agent.host import open_host
from kiemke.agent.sensors import SENSORS
from kiemke.agent.sensors.reading import Reading, read_one, token_of
from kiemke.agent.terminal import complain, say
from kiemke.wire.inventory import Row

MEMORY_LIMIT_BYTES = 512 << 20
BAD_REQUEST = 2


def run() -> int:
    """Answer one request; return 0, or 2 when it is not understood."""
    limit_memory()
    try:
        request = json.load(sys.stdin)
        folder = None if request["folder"] is None else Path(request["folder"])
        host = open_host(Path(request["root"]), request["install_id"], folder)
        acked, need, wanted = request["acked"], set(request["need"]), set(request["sensors"])
    except (ValueError, KeyError, TypeError) as err:
        complain(f"the request is not understood: {err}")
        return BAD_REQUEST
    told: dict[str, tuple[str, tuple[Row, ...]]] = {}
    for sensor in SENSORS:
        if sensor.module not in wanted:
            continue
        readings = read_one(host, sensor)
        sections = {
            name: _section(reading, acked.get(name), name in need)
            for name, reading in readings.items()
        }
        told |= {
            name: (token_of(reading.rows), reading.rows)
            for name, reading in readings.items()
            if reading.rows is not None
        }
        say(json.dumps({"sensor": sensor.module, "sections": sections}, ensure_ascii=True))
        sys.stdout.flush()
    if folder is not None and any(token != acked.get(name) for name, (token, _) in told.items()):
        kept.keep(folder, told)
    return 0


def _section(reading: Reading, acked: str | None, is_needed: bool) -> dict[str, object]:
    """Return one section as it should travel: rows only when they are news or asked for."""
    if reading.rows is None:
        return {"status": reading.status, "detail": reading.detail}
    token = token_of(reading.rows)
    told: dict[str, object] = {"status": "ok", "token": token, "detail": reading.detail}
    if token != acked or is_needed:
        told["rows"] = [asdict(row) for row in reading.rows]
    return told


def limit_memory() -> None:
    """Keep a sensor that goes wild from taking the PC's memory (Linux: RLIMIT_AS, getrlimit(2))."""
    if sys.platform != "win32":
        # Windows has no such module; its limits come with the service's job object.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
