"""One round of ICMP echo to one target (icmplib; RFC 792, RFC 4443; on Windows the system's own call)."""

import asyncio
import os
import sys

from icmplib import ICMPLibError, SocketPermissionError, async_ping

from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.echo import summarise
from kiemke.wire.report import Reachability
from kiemke.wire.windows_echo import ping

INTERVAL_SECONDS = 0.2
PATIENCE_SECONDS = 2.0
MIN_PATIENCE_SECONDS = 0.2
NO_PERMISSION = (
    "no right to send ICMP: run sysctl net.ipv4.ping_group_range='0 2147483647', "
    "or give the collector CAP_NET_RAW"
)


async def probe(
    target: int,
    address: str,
    count: int,
    *,
    budget_seconds: float = 15.0,
    trace: Trace = no_trace,
) -> Reachability:
    """Send ``count`` echo requests and return what came back, seconds.

    Unprivileged sockets where the kernel allows them, raw ones as root otherwise. When nothing could
    be sent, ``sent`` is 0 and ``detail`` says what to do: the target is unknown then, not down.
    """
    patience = (budget_seconds - count * INTERVAL_SECONDS) / count
    patience = min(PATIENCE_SECONDS, max(MIN_PATIENCE_SECONDS, patience))
    if sys.platform == "win32":
        return await _probe_by_system(target, address, count, patience, trace)
    modes = (False, True) if hasattr(os, "geteuid") and os.geteuid() == 0 else (False,)
    detail = NO_PERMISSION
    for privileged in modes:
        try:
            host = await async_ping(
                address,
                count=count,
                interval=INTERVAL_SECONDS,
                timeout=patience,
                privileged=privileged,
            )
        except SocketPermissionError:
            trace("icmp refused", {"target": target, "privileged": privileged})
            continue
        except ICMPLibError as err:
            detail = f"ICMP not sent ({type(err).__name__}): check address and network"
            break
        round_trips = [milliseconds / 1000 for milliseconds in host.rtts]
        trace("icmp", {"target": target, "address": address, "round_trips": round_trips})
        return summarise(target, host.packets_sent, round_trips)
    return Reachability(target=target, sent=0, received=0, detail=detail)


async def _probe_by_system(
    target: int, address: str, count: int, patience_seconds: float, trace: Trace
) -> Reachability:
    """Ping by the system's call, which needs no rights."""
    round_trips: list[float] = []
    for number in range(count):
        if number:
            await asyncio.sleep(INTERVAL_SECONDS)
        try:
            answered = await asyncio.to_thread(ping, address, patience_seconds)
        except OSError as err:
            detail = f"ICMP not sent ({type(err).__name__}): check address and network"
            return Reachability(target=target, sent=0, received=0, detail=detail)
        if answered is not None:
            round_trips.append(answered)
    trace("icmp", {"target": target, "address": address, "round_trips": round_trips})
    return summarise(target, count, round_trips)
