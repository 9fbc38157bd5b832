"""All that one device tells of what is around it, in one visit."""

from dataclasses import replace

from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover import addresses, cdp_edp, lldp, ports, stations
from kiemke.collectors.errors import PollError
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.reader import Oid, SnmpReader
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.lan import LanAddress, Neighbour, Neighbours, Station
from kiemke.wire.secret import Secret

CISCO: Oid = (1, 3, 6, 1, 4, 1, 9)
MAX_STATIONS = 20_000
MAX_NEIGHBOURS = 2_000


async def read(
    reader: SnmpReader,
    device: int,
    deadline: Deadline,
    *,
    of_vlan: stations.OfVlan | None = None,
    trace: Trace = no_trace,
) -> Neighbours:
    """Return the tables of one device; each that fails is None, and the others are there.

    ``of_vlan`` is used for Cisco's switches only. Never raises: a silent device has its outcome.
    """
    try:
        said = (await reader.get((oids.SYS_OBJECT_ID,), deadline)).get(oids.SYS_OBJECT_ID)
        own = await ports.read(reader, deadline)
    except PollError as err:
        return Neighbours(device, err.outcome, detail=err.detail)
    is_cisco = isinstance(said, tuple) and said[: len(CISCO)] == CISCO
    problems: list[str] = []
    beside: tuple[Neighbour, ...] | None = None
    learned: tuple[Station, ...] | None = None
    known: tuple[LanAddress, ...] | None = None
    try:
        found = await lldp.read(reader, own, deadline)
        for more in (cdp_edp.read_cdp, cdp_edp.read_edp):
            found += await more(reader, own, deadline)
        beside = tuple(found[:MAX_NEIGHBOURS])
    except PollError as err:
        problems.append(err.detail)
    try:
        macs = await stations.read(reader, own, deadline, of_vlan if is_cisco else None)
        learned = tuple(macs[:MAX_STATIONS])
    except PollError as err:
        problems.append(err.detail)
    try:
        known = tuple((await addresses.read(reader, deadline))[:MAX_STATIONS])
    except PollError as err:
        problems.append(err.detail)
    counts = {
        "neighbours": None if beside is None else len(beside),
        "stations": None if learned is None else len(learned),
        "addresses": None if known is None else len(known),
    }
    trace("tables", {"device": device, **counts})
    detail = "; ".join(dict.fromkeys(problems)) or None
    return Neighbours(device, "partial" if problems else "ok", beside, learned, known, detail)


def vlan_credential(credential: Credential, vlan: int) -> Credential:
    """Return what a Cisco switch takes for one VLAN: community@VLAN, or by v3 the context vlan-VLAN."""
    if credential.community is None:
        return replace(credential, context=f"vlan-{vlan}")
    community = Secret(f"{credential.community.reveal()}@{vlan}")
    return replace(credential, name=f"{credential.name}@{vlan}", community=community)
