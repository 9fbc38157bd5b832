"""What the server assigns to this collector: devices to poll and targets to probe.

The last good assignment stays in the state folder, so that polling goes on without the server. One
entry that is not usable is left out and told; an assignment that is not one is refused whole.
"""

import contextlib
import ipaddress
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kiemke.collectors.discover.task import SweepTask, read_sweep
from kiemke.collectors.errors import AssignmentError
from kiemke.collectors.files import write_private
from kiemke.wire.host_key import split_key
from kiemke.wire.reach import REASONS, Reach, read_networks

FILE_NAME = "assignment.json"
MIN_POLL_SECONDS = 10.0
MAX_POLL_SECONDS = 3600.0
MIN_PACE_SECONDS = 60.0
MAX_TASKS = 20_000
MAX_COUNT = 20
MIN_VISIT_SECONDS = 3600.0
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class DeviceTask:
    """A device to poll by SNMP; ``credential`` names a section of credentials.toml.

    Where that has none of the name, the server's secret ``snmp_secret`` is used. ``ssh_secret`` and
    ``ssh_credential`` are the same for SSH; None: not to be asked that way. It is visited as a
    ``ssh_platform`` every ``ssh_visit_seconds`` (0: never); ``host_key`` is the only one to believe.
    """

    device: int
    address: str
    port: int
    credential: str
    snmp_secret: int | None = None
    ssh_secret: int | None = None
    ssh_credential: str | None = None
    ssh_platform: str | None = None
    ssh_port: int = 22
    ssh_visit_seconds: float = 0.0
    host_key: str | None = None
    site: int | None = None


def by_snmp(task: DeviceTask) -> DeviceTask:
    """Return a task without what polling by SNMP does not use: it goes on when only that changes."""
    return replace(
        task, ssh_secret=None, ssh_credential=None, ssh_platform=None, ssh_port=22,
        ssh_visit_seconds=0.0, host_key=None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProbeTask:
    """A target to probe with ``count`` ICMP echo requests."""

    target: int
    address: str
    count: int
    purpose: str = "domestic"
    site: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """The subnets of a site as texts; ``allow`` None: none is registered, nothing is checked."""

    site: int
    allow: tuple[str, ...] | None
    deny: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """A secret of the server that the tasks name, and which version of it is the newest."""

    id: int
    version: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Everything to do every ``poll_seconds``; ``refused`` says which entries were left out and why.

    ``neighbours_seconds`` is how often devices are asked for their tables of neighbours, MACs and
    addresses, None: not at all.
    """

    poll_seconds: float
    devices: tuple[DeviceTask, ...] = ()
    probes: tuple[ProbeTask, ...] = ()
    sites: tuple[Site, ...] = ()
    secrets: tuple[SecretVersion, ...] = ()
    neighbours_seconds: float | None = None
    sweeps: tuple[SweepTask, ...] = ()
    refused: tuple[str, ...] = ()


def check_address(text: object) -> str:
    """Return a unicast IP address in its shortest form; loopback is allowed.

    Raises ValueError with the reason: not an address, multicast, broadcast or unspecified.
    """
    if not isinstance(text, str):
        raise ValueError("the address is not text")
    address = ipaddress.ip_address(text)
    if address.is_multicast:
        raise ValueError(f"{text} is a multicast address")
    if address.is_unspecified:
        raise ValueError(f"{text} is the unspecified address")
    if address == ipaddress.IPv4Address("255.255.255.255"):
        raise ValueError(f"{text} is the broadcast address")
    return str(address)


def parse_assignment(data: object) -> Assignment:
    """Return the server's JSON as an Assignment; poll_seconds is kept within 10 s to 1 h.

    Raises AssignmentError when it is no assignment at all.
    """
    if not isinstance(data, dict):
        raise AssignmentError("assignment: not a JSON object")
    poll_seconds = data.get("poll_seconds")
    if isinstance(poll_seconds, bool) or not isinstance(poll_seconds, int | float):
        raise AssignmentError('assignment: "poll_seconds" is not a number')
    # Written so that NaN is refused too.
    if not 0 < poll_seconds < 10**9:
        raise AssignmentError('assignment: "poll_seconds" is out of range')
    rows: dict[str, list[object]] = {}
    for name in ("devices", "probes", "sites", "secrets", "sweeps"):
        found = data.get(name, [])
        if not isinstance(found, list) or len(found) > MAX_TASKS:
            raise AssignmentError(f'assignment: "{name}" is not a list of up to {MAX_TASKS}')
        rows[name] = found
    refused: list[str] = []
    sites = _read_sites(rows["sites"])
    reaches = {site.site: _reach_of(site) for site in sites}
    devices: dict[int, DeviceTask] = {}
    probes: dict[int, ProbeTask] = {}
    for position, row in enumerate(rows["devices"]):
        try:
            task = _read_device(row)
            _demand_within(task, reaches, task.site)
            _refuse_twice(task.device, devices)
            devices[task.device] = task
        except ValueError as err:
            refused.append(f"devices[{position}]: {err}")
    for position, row in enumerate(rows["probes"]):
        try:
            probe = _read_probe(row)
            _demand_within(probe, reaches, probe.site, beyond=probe.purpose != "gateway")
            _refuse_twice(probe.target, probes)
            probes[probe.target] = probe
        except ValueError as err:
            refused.append(f"probes[{position}]: {err}")
    sweeps = _read_sweeps(rows["sweeps"], refused)
    return Assignment(
        poll_seconds=min(MAX_POLL_SECONDS, max(MIN_POLL_SECONDS, float(poll_seconds))),
        devices=tuple(devices.values()),
        probes=tuple(probes.values()),
        sites=sites,
        secrets=_read_secret_versions(rows["secrets"]),
        neighbours_seconds=_read_pace(data, "neighbours_seconds"),
        sweeps=sweeps,
        refused=tuple(refused),
    )


def _read_sweeps(rows: list[object], refused: list[str]) -> tuple[SweepTask, ...]:
    found: dict[int, SweepTask] = {}
    for position, row in enumerate(rows):
        try:
            task = read_sweep(row)
            found.setdefault(task.site, task)
        except ValueError as err:
            refused.append(f"sweeps[{position}]: {err}")
    return tuple(found.values())


def _read_pace(data: dict[str, object], key: str) -> float | None:
    """Return how often something is to be done; None: never, or by a server that does not know it."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**9:
        return None
    return max(MIN_PACE_SECONDS, float(value))


def _refuse_twice(number: int, known: "dict[int, DeviceTask] | dict[int, ProbeTask]") -> None:
    if number in known:
        raise ValueError(f"{number} is assigned twice")


def _read_device(row: object) -> DeviceTask:
    if not isinstance(row, dict):
        raise ValueError("not an object")
    credential = row.get("credential", "default")
    if not isinstance(credential, str) or not credential:
        raise ValueError('"credential" is not a name')
    ssh_credential = row.get("ssh_credential")
    ssh_platform = row.get("ssh_platform")
    host_key = row.get("host_key")
    if host_key is not None:
        split_key(str(host_key))
    return DeviceTask(
        device=_whole_number(row, "device", 1, MAX_ID),
        address=check_address(row.get("address")),
        port=_whole_number({"port": 161, **row}, "port", 1, 65535),
        credential=credential,
        snmp_secret=_optional_id(row, "snmp_secret"),
        ssh_secret=_optional_id(row, "ssh_secret"),
        ssh_credential=ssh_credential if isinstance(ssh_credential, str) else None,
        ssh_platform=ssh_platform if isinstance(ssh_platform, str) else None,
        ssh_port=_whole_number({"ssh_port": 22, **row}, "ssh_port", 1, 65535),
        ssh_visit_seconds=_read_pause(row.get("ssh_visit_seconds", 0)),
        host_key=None if host_key is None else str(host_key),
        site=_optional_id(row, "site"),
    )


def _read_pause(value: object) -> float:
    """Return seconds between two visits, at least MIN_VISIT_SECONDS; 0 is never."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise ValueError('"ssh_visit_seconds" is not a number of seconds')
    return max(MIN_VISIT_SECONDS, float(value)) if value else 0.0


def _read_probe(row: object) -> ProbeTask:
    if not isinstance(row, dict):
        raise ValueError("not an object")
    return ProbeTask(
        target=_whole_number(row, "target", 1, MAX_ID),
        address=check_address(row.get("address")),
        count=_whole_number({"count": 5, **row}, "count", 1, MAX_COUNT),
        purpose=str(row.get("purpose", "domestic")),
        site=_optional_id(row, "site"),
    )


def _read_sites(rows: list[object]) -> tuple[Site, ...]:
    """Return the sites. One that cannot be read makes the assignment none: it would open what it shuts."""
    found: list[Site] = []
    for position, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise ValueError("not an object")
            allow = row["allow"]
            nets = None if allow is None else tuple(map(str, read_networks(allow)))
            deny = tuple(map(str, read_networks(row["deny"])))
            found.append(Site(_whole_number(row, "site", 1, MAX_ID), nets, deny))
        except (ValueError, KeyError, TypeError) as err:
            raise AssignmentError(f"assignment: sites[{position}]: {err}") from err
    return tuple(found)


def reaches_of(assignment: Assignment | None) -> list[Reach]:
    """Return where the sites of an assignment stand; none before there is one."""
    return [_reach_of(site) for site in assignment.sites] if assignment is not None else []


def _reach_of(site: Site) -> Reach:
    allow = None if site.allow is None else read_networks(site.allow)
    return Reach(allow, read_networks(site.deny))


def _demand_within(
    task: DeviceTask | ProbeTask,
    reaches: dict[int, Reach],
    site: int | None,
    *,
    beyond: bool = False,
) -> None:
    """Refuse a task before its first packet when its address is not its site's. Raises ValueError."""
    if site is None:
        return  # a server from before there were sites
    if site not in reaches:
        raise ValueError(f"its site {site} is not described")
    reason = replace(reaches[site], beyond=beyond).why_not(task.address)
    if reason is not None:
        raise ValueError(f"{task.address} {REASONS[reason]}")


def _read_secret_versions(rows: list[object]) -> tuple[SecretVersion, ...]:
    found = []
    for row in rows:
        if isinstance(row, dict):
            key, version = row.get("id"), row.get("version")
            if isinstance(key, int) and isinstance(version, int):
                found.append(SecretVersion(key, version))
    return tuple(found)


def _optional_id(row: dict[str, object], key: str) -> int | None:
    return None if row.get(key) is None else _whole_number(row, key, 1, MAX_ID)


def _whole_number(row: dict[str, object], key: str, least: int, most: int) -> int:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f'"{key}" is not a whole number from {least} to {most}')
    return value


def save_assignment(state: Path, assignment: Assignment) -> None:
    """Keep the assignment for a start without the server; whole or not at all. Raises OSError."""
    text = json.dumps(
        {name: value for name, value in asdict(assignment).items() if name != "refused"}
    )
    write_private(state / FILE_NAME, text)


def load_assignment(state: Path) -> Assignment | None:
    """Return the kept assignment, None when there is none or it is damaged."""
    with contextlib.suppress(OSError, ValueError, RecursionError, AssignmentError):
        return parse_assignment(json.loads((state / FILE_NAME).read_text("utf-8")))
    return None
