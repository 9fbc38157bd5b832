"""Polling one target once, in the open: every request, decision and timing, then the reports."""

import asyncio
import ipaddress
import itertools
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from kiemke.collectors.assignment import DeviceTask, check_address, load_assignment
from kiemke.collectors.credentials import Credential
from kiemke.collectors.device_poll import DevicePoller
from kiemke.collectors.errors import ConfigError, PollError, Refused
from kiemke.collectors.igd import poll as igd
from kiemke.collectors.reachability import icmp
from kiemke.collectors.snmp.engines import Engines
from kiemke.collectors.snmp.tap import tapped
from kiemke.collectors.trace import Trace, no_trace, trace_to
from kiemke.wire.clocks import SystemClock
from kiemke.wire.codec import encode_report
from kiemke.wire.report import Body, Device, Report

BUDGET_SECONDS = 30.0
PROBE_COUNT = 5
SNMP_PORT = 161


def find_target(text: str, credential: str | None, state: Path) -> DeviceTask:
    """Return what to poll: an assigned device id, ``ADDRESS``, ``ADDRESS:PORT`` or ``[V6]:PORT``.

    A device that is not assigned has the id 0. Raises ConfigError.
    """
    if text.isascii() and text.isdigit():
        assignment = load_assignment(state)
        for task in assignment.devices if assignment else ():
            if task.device == int(text):
                name = credential or task.credential
                return DeviceTask(task.device, task.address, task.port, name)
        raise ConfigError(f"{text}: no such device in the assignment; give an address instead")
    host, port = _split(text)
    try:
        if not _is_address(host):
            host = str(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0])
        return DeviceTask(0, check_address(host), port, credential or "default")
    except socket.gaierror as err:
        raise ConfigError(f"{host}: name not found; give the address") from err
    except ValueError as err:
        raise ConfigError(f"{text}: {err}") from err


def _split(text: str) -> tuple[str, int]:
    if _is_address(text):
        return text, SNMP_PORT
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, SNMP_PORT
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ConfigError(f"{text}: the port must be a number from 1 to 65535")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def poll_once(
    task: DeviceTask, credentials: Mapping[str, Credential], *, debug: bool, out: TextIO
) -> str:
    """Poll and ping one target, print its reports as the wire carries them. Returns the outcome."""
    trace = trace_to(sys.stderr) if debug else no_trace
    clock = SystemClock.read()
    numbers = itertools.count(1)

    async def emit(kind: str, body: Body) -> None:
        # Stream 1: these reports are for the reader's eyes, no server ever sees them.
        report = Report(
            1, next(numbers), clock.boot_id, clock.now(), clock.uptime_seconds(), kind, body
        )
        print(encode_report(report).decode("utf-8"), file=out, flush=True)

    engines = Engines()
    trace("target", {"address": task.address, "port": task.port, "credential": task.credential})
    poller = DevicePoller(engines, credentials, trace=trace)
    try:
        if debug and task.credential != igd.CREDENTIAL:
            outcome = await _poll_in_the_open(poller, task, emit, trace)
        else:
            outcome = await poller.poll(task, BUDGET_SECONDS, emit)
        found = await icmp.probe(task.device, task.address, PROBE_COUNT, trace=trace)
        await emit("reachability", found)
    finally:
        engines.close()
        await asyncio.sleep(0)  # let the closed sockets' callbacks run before the loop ends
    return outcome


async def _poll_in_the_open(
    poller: DevicePoller,
    task: DeviceTask,
    emit: Callable[[str, Body], Awaitable[None]],
    trace: Trace,
) -> str:
    """Poll with every packet shown, up to the device's word that nobody listens."""
    try:
        async with tapped(task.address, task.port, trace) as tap:
            here = replace(task, address="127.0.0.1", port=tap.port)
            poll = asyncio.create_task(poller.poll(here, BUDGET_SECONDS, emit))
            refusal = asyncio.create_task(tap.refused.wait())
            try:
                await asyncio.wait({poll, refusal}, return_when=asyncio.FIRST_COMPLETED)
                if poll.done():
                    return poll.result()
                raise Refused(f"{task.address}:{task.port}")
            finally:
                for each in (poll, refusal):
                    each.cancel()
                await asyncio.wait({poll, refusal})
    except PollError as err:
        await emit("device", Device(task.device, err.outcome, err.detail))
        return err.outcome
