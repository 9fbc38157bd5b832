"""One poll of a modem by UPnP-IGD, told as a device with one port, "wan"."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollError
from kiemke.collectors.igd.client import COMMON, SSDP_PORT, Gateway, IgdClient
from kiemke.collectors.moments import ago_seconds
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.report import Device, DeviceIdentity, InterfaceReading, Interfaces

# The credential of a device that is asked so; it needs no secret.
CREDENTIAL = "upnp"
PORT_NAME = "wan"
SNMP_PORT = 161
WRAP = 2**32
MOST_COUNTED = 2**64 - 1
MOST_BITS_PER_SECOND = 10**13
LONGEST_TEXT = 200

Emit = Callable[[str, Device | Interfaces], Awaitable[None]]


@dataclass(slots=True)
class Memory:
    """What is known of one modem from poll to poll.

    ``is_wide``: it once counted beyond 32 bits, so it does not wrap there.
    """

    location: str | None = None
    gateway: Gateway | None = None
    is_wide: bool = False
    is_told: bool = False


async def poll(
    device: int,
    address: str,
    port: int,
    deadline: Deadline,
    memory: Memory,
    emit: Emit,
    trace: Trace = no_trace,
) -> str:
    """Ask a modem for its counters and emit them. Returns the outcome.

    ``port`` is where it is searched; that of SNMP means UPnP's own.
    """
    client = IgdClient(address, SSDP_PORT if port == SNMP_PORT else port, trace)
    try:
        gateway = await _gateway(client, deadline, memory)
        counted, read_at = await _read(client, gateway, deadline, memory)
    except PollError as err:
        memory.gateway = memory.location = None  # its ports change when it restarts
        await emit("device", Device(device, err.outcome, err.detail))
        return err.outcome
    uptime = await _read_uptime(client, gateway, deadline)
    about = gateway.about
    words = [about[key] for key in ("manufacturer", "modelName", "modelNumber") if key in about]
    await emit(
        "device",
        Device(
            device,
            "ok",
            sys_descr=f"UPnP: {' '.join(words)}" if words else "UPnP",
            sys_name=about.get("friendlyName"),
            sys_uptime_seconds=uptime,
            identity=None if memory.is_told else _identity(gateway),
        ),
    )
    memory.is_told = True
    # A modem's web server is slow: what it counts is older than its last answer.
    row = replace(counted, octets_ago_seconds=ago_seconds(read_at, time.monotonic()))
    await emit("interfaces", Interfaces(device, "ok", uptime, (row,)))
    return "ok"


def _identity(gateway: Gateway) -> DeviceIdentity:
    about = gateway.about
    return DeviceIdentity(
        complete=True,
        vendor=about.get("manufacturer"),
        kind="modem",
        model=about.get("modelName"),
        serial=about.get("serialNumber"),
        name=about.get("friendlyName"),
    )


async def _gateway(client: IgdClient, deadline: Deadline, memory: Memory) -> Gateway:
    if memory.gateway is None:
        memory.location = await client.find(deadline)
        memory.gateway = await client.describe(memory.location, deadline)
    return memory.gateway


async def _read(
    client: IgdClient, gateway: Gateway, deadline: Deadline, memory: Memory
) -> tuple[InterfaceReading, float]:
    """Return the line's port and the moment of its counters, on ``time.monotonic``.

    That is between the answers for both directions. Raises PollError; counters that are no numbers
    are absent.
    """
    received = await client.ask(gateway.common, COMMON, "GetTotalBytesReceived", deadline)
    read_at = time.monotonic()
    sent = await client.ask(gateway.common, COMMON, "GetTotalBytesSent", deadline)
    read_at = (read_at + time.monotonic()) / 2
    link = await client.ask(gateway.common, COMMON, "GetCommonLinkProperties", deadline)
    counters = [
        read_counter(received.get("NewTotalBytesReceived")),
        read_counter(sent.get("NewTotalBytesSent")),
    ]
    memory.is_wide = memory.is_wide or any(each is not None and each >= WRAP for each in counters)
    rates = [
        read_counter(link.get(f"NewLayer1{way}streamMaxBitRate")) or 0 for way in ("Down", "Up")
    ]
    speed = max(rates)
    state = {"up": True, "down": False}.get(link.get("NewPhysicalLinkStatus", "").lower())
    has_counted = None not in counters
    port = InterfaceReading(
        index=1,
        name=PORT_NAME,
        description=link.get("NewWANAccessType", "")[:LONGEST_TEXT] or None,
        oper_up=state,
        speed_bits_per_second=speed if 0 < speed <= MOST_BITS_PER_SECOND else None,
        counter_bits=(64 if memory.is_wide else 32) if has_counted else None,
        in_octets=counters[0] if has_counted else None,
        out_octets=counters[1] if has_counted else None,
    )
    return port, read_at


async def _read_uptime(client: IgdClient, gateway: Gateway, deadline: Deadline) -> float | None:
    """Return since when the line is connected, seconds; None when no service tells."""
    for service, url in gateway.connections:
        try:
            found = await client.ask(url, service, "GetStatusInfo", deadline)
        except PollError:
            continue
        if found.get("NewConnectionStatus") == "Connected":
            uptime = read_counter(found.get("NewUptime"))
            return None if uptime is None else float(uptime)
    return None


def read_counter(text: str | None) -> int | None:
    """Return an unsigned number, None for anything else."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 20):
        return None
    value = int(text)
    return value if value <= MOST_COUNTED else None
