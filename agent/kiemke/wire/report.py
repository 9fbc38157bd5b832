"""The report: what a source says about itself or its subjects, and what the server answers.

One frozen class per kind of body, units in the field names, ``None`` for what is not known (never 0
or ""). Counters are unsigned decimal integers up to 2**64-1. Times are aware datetimes in UTC. The
identity of a report is ``(source, stream, seq)``: ``stream`` is random, made at every start of the sender
and stored with each report, so that a rolled-back disk begins a new one and loses nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime

from kiemke.wire.inventory import Row
from kiemke.wire.lan import Neighbours, Sweep

# An agent says "reachability" only while it is named its site's probe.
AGENT_KINDS = ("inventory", "sample", "event", "reachability")
COLLECTOR_KINDS = ("device", "interfaces", "reachability", "config", "neighbours", "sweep")
# A loss, a release, another machine below it, what the agent itself costs.
_OF_THE_AGENT = ("outbox", "update", "identity", "budget")
EVENT_NAMES = ("boot", "shutdown", "resume", "link_speed", "session", "trap", *_OF_THE_AGENT)
PROBE_PURPOSES = ("gateway", "isp", "domestic")
REACH_TARGETS = ("gateway", "server")
# Why a sender is set aside: its reports are kept and count nowhere until a person has decided.
ASIDE_WORDS = ("copied_disk", "same_parts", "one_host", "other")
SECTION_STATUSES = ("ok", "absent", "failed", "timeout", "denied")
POLL_OUTCOMES = ("ok", "partial", "timeout", "auth", "unreachable", "error")
# A visit by SSH: what a poll can be, and a changed host key, no prompt, a closed connection, no rights.
SSH_OUTCOMES = (*POLL_OUTCOMES, "host_key", "prompt", "disconnected", "refused")


# --- agent: inventory --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Section:
    """One section of an inventory. ``token`` is opaque to the server; rows travel when they changed.

    A section whose sensor failed has a status other than "ok", no token and no rows.
    """

    status: str
    token: str | None = None
    rows: tuple[Row, ...] | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a machine is and holds, by section name (see ``inventory.SECTIONS``)."""

    sections: dict[str, Section]


# --- agent: sample -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AdapterCounters:
    """Octets a network adapter has counted since it came up (psutil ``net_io_counters``)."""

    name: str
    receive_octets: int
    transmit_octets: int


@dataclass(frozen=True, slots=True)
class SelfCost:
    """What the agent itself has used since it started."""

    cpu_seconds: float
    rss_bytes: int
    outbox_reports: int


@dataclass(frozen=True, slots=True)
class Reach:
    """What pings to the "gateway" or the "server" gave; ``rtt_seconds`` None when none came back."""

    target: str
    sent: int
    received: int
    rtt_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class VolumeSpace:
    """Room on one local volume."""

    mount_point: str
    size_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A machine's state at one moment, and how long it was awake and watched before it.

    ``covered_seconds`` is the time since the previous sample of this run in this boot without
    suspend; 0.0 for the first after a start or a resume. ``cpu_ratio`` is busy time over the covered
    time, 0 to 1. ``user`` is the name of the console session's account, None when nobody is there.
    Disk bytes are those of all local disks since they came up; they, ``cost`` and ``reach``, the pings
    since it was told last, stand in every fifth sample, ``volumes`` in one an hour, None in those between.
    ``reach`` is also None where this account may not ping. ``clock_offset_seconds`` is the server's clock
    less ours, whole seconds: above 0 ours is behind; None before the first answer.
    """

    covered_seconds: float
    cpu_ratio: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    adapters: tuple[AdapterCounters, ...] = ()
    user: str | None = None
    cost: SelfCost | None = None
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    volumes: tuple[VolumeSpace, ...] | None = None
    reach: tuple[Reach, ...] | None = None
    clock_offset_seconds: float | None = None


# --- agent: event ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at one moment: see EVENT_NAMES; ``detail`` holds plain text by key."""

    name: str
    detail: dict[str, str] = field(default_factory=dict)


# --- collector ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What a device is, asked for at first contact, after a restart and once a day.

    ``kind`` is a word such as "switch" or "printer". With ``complete`` a fact that is None is one the
    device does not tell; without, the reading ended early and what was known before stands.
    """

    complete: bool
    vendor: str | None = None
    kind: str | None = None
    model: str | None = None
    version: str | None = None
    serial: str | None = None
    name: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """A figure of a device's own state: "cpu_ratio", "temperature_celsius", "supply_left_ratio" ...

    The unit stands in ``name``; states are 1.0 and 0.0. ``part`` tells several of one name apart (the
    row of the MIB's table), ``label`` is what the device calls the part.
    """

    name: str
    value: float
    part: str = ""
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """The system group of one polled device (SNMPv2-MIB, RFC 3418), or why there is none.

    ``device`` is the id in the server's assignment. ``sys_uptime_seconds`` is sysUpTime / 100.
    ``identity`` is None in a poll that did not ask what the device is. Of each name in ``readings``
    all parts are there; names that were not read in this poll are not.
    """

    device: int
    outcome: str
    detail: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    sys_name: str | None = None
    sys_location: str | None = None
    sys_contact: str | None = None
    sys_uptime_seconds: float | None = None
    identity: DeviceIdentity | None = None
    readings: tuple[DeviceReading, ...] | None = None


@dataclass(frozen=True, slots=True)
class InterfaceReading:
    """One row of ifTable + ifXTable (IF-MIB, RFC 2863): raw counters, no rates.

    ``counter_bits`` is 64 when the ifHC columns answered, 32 otherwise.
    ``discontinuity_seconds`` is ifCounterDiscontinuityTime / 100, None when the device lacks it;
    ``last_change_seconds`` is ifLastChange / 100: the sysUpTime at which the port took its present state.
    ``type`` is the IANAifType number; ``duplex`` is dot3StatsDuplexStatus ("half" or "full").
    ``octets_ago_seconds``: how long before the report's ``at`` its octets were read, None below 0.1 s.
    """

    index: int
    name: str | None = None
    description: str | None = None
    alias: str | None = None
    type: int | None = None
    mac: str | None = None
    admin_up: bool | None = None
    oper_up: bool | None = None
    speed_bits_per_second: int | None = None
    duplex: str | None = None
    counter_bits: int | None = None
    in_octets: int | None = None
    out_octets: int | None = None
    in_errors: int | None = None
    out_errors: int | None = None
    in_discards: int | None = None
    out_discards: int | None = None
    discontinuity_seconds: float | None = None
    last_change_seconds: float | None = None
    octets_ago_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Interfaces:
    """All interfaces of one device read in one poll; rates are made once, on the server.

    ``at`` is the poll's end, ``sys_uptime_seconds`` that of then; "partial" has whole rows only.
    """

    device: int
    outcome: str
    sys_uptime_seconds: float | None = None
    rows: tuple[InterfaceReading, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Reachability:
    """One round of ICMP echo to one probe target of the assignment.

    ``jitter_seconds`` is the mean difference of consecutive round trips. RTT fields are None when
    nothing came back. ``sent`` 0 means that the probe could not be made (``detail`` says why): the
    target's state is then unknown, not down.
    """

    target: int
    sent: int
    received: int
    rtt_min_seconds: float | None = None
    rtt_avg_seconds: float | None = None
    rtt_max_seconds: float | None = None
    jitter_seconds: float | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class DevicePart:
    """A part a device lists: a module, a power supply, a member of a stack."""

    name: str | None = None
    description: str | None = None
    model: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class DevicePort:
    """An interface in a device's own words; ``status`` is what its table says ("up", "connected")."""

    name: str
    status: str | None = None
    description: str | None = None
    mac: str | None = None
    speed: str | None = None
    duplex: str | None = None


@dataclass(frozen=True, slots=True)
class ConfigAccess:
    """Who may change a device, as its configuration tells; None where the platform's rules cannot say.

    ``user`` is the account the collector logs in with. ``snmp_writers`` counts SNMP communities and
    users with write access.
    """

    user: str
    may_configure: bool | None = None
    administrators: tuple[str, ...] | None = None
    snmp_writers: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A visit to a device by SSH: what it says it is, and its configuration without secrets.

    ``packed`` is the text (``config_text.pack``), None when it could not be had whole. ``digest`` is the
    SHA-256 of its lines without those that change by themselves: equal digests are one version.
    ``host_key`` is the public key the device showed (see ``host_key``), also one that was refused.
    ``facts`` holds vendor, model, version, serial and name, as far as told.
    """

    device: int
    outcome: str
    platform: str
    detail: str | None = None
    host_key: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    parts: tuple[DevicePart, ...] | None = None
    ports: tuple[DevicePort, ...] | None = None
    access: ConfigAccess | None = None
    digest: str | None = None
    packed: tuple[str, ...] | None = None
    masked: int | None = None


Body = Inventory | Sample | Event | Device | Interfaces | Reachability | Config | Neighbours | Sweep

BODIES: dict[str, type[Body]] = {
    "inventory": Inventory,
    "sample": Sample,
    "event": Event,
    "device": Device,
    "interfaces": Interfaces,
    "reachability": Reachability,
    "config": Config,
    "neighbours": Neighbours,
    "sweep": Sweep,
}


# --- envelope ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """One report. ``at`` is the sender's wall clock, ``uptime_seconds`` includes suspend."""

    stream: int
    seq: int
    boot_id: str
    at: datetime
    uptime_seconds: float
    kind: str
    body: Body


@dataclass(frozen=True, slots=True)
class Batch:
    """What one POST /api/v1/reports carries."""

    source: str
    sent_at: datetime
    sent_uptime_seconds: float
    sent_boot_id: str
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A report that was set aside: stored raw with its reason on the server, acknowledged, final."""

    stream: int
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Intervals the server asks for; the sender clamps each one to its own limits."""

    sample_seconds: float | None = None
    post_seconds: float | None = None
    inventory_seconds: float | None = None
    poll_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ProbeTask:
    """An address to send ``count`` echo requests to; ``purpose`` is one of PROBE_PURPOSES."""

    target: int
    address: str
    count: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's 200: contiguous acks by stream, what was set aside, sections wanted, pace.

    ``ca_next`` is the PEM of the root the server will use next, None when it has none or we know it.
    ``probes`` is empty but for a site's probe; ``aside`` is None, or one of ASIDE_WORDS (or a newer).
    """

    ack: dict[int, int]
    rejected: tuple[Rejected, ...] = ()
    need: tuple[str, ...] = ()
    settings: Pace = Pace()
    ca_next: str | None = None
    probes: tuple[ProbeTask, ...] = ()
    aside: str | None = None
