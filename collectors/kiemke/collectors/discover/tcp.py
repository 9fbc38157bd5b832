"""Knocking at TCP ports: connect and close at once, nothing is said or read."""

import asyncio
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kiemke.collectors.discover.door import Leave

PORTS_FILE = "tcp_ports.toml"
PATIENCE_SECONDS = 0.9  # below the second after which a kernel sends the first packet again


@dataclass(frozen=True, slots=True)
class Port:
    """A port to knock at, and what an open one hints at."""

    number: int
    hint: str
    quiet: bool = False


@cache
def load_ports() -> tuple[Port, ...]:
    """Return the ports as shipped."""
    text = resources.files("kiemke.collectors.discover").joinpath(PORTS_FILE).read_text("utf-8")
    return tuple(Port(**each) for each in tomllib.loads(text)["port"])


async def knock(leave: Leave, port: int, patience_seconds: float = PATIENCE_SECONDS) -> bool | None:
    """Return True when the port is open, False when the host says it is closed, None for silence."""
    try:
        async with asyncio.timeout(patience_seconds):
            _, writer = await asyncio.open_connection(leave.address, port)
    except ConnectionRefusedError:
        return False
    except (OSError, TimeoutError):
        return None
    writer.transport.abort()
    return True
