"""The parts of a district: units, people, things, gear, lines and PCs, with what is truly so of each.

A ``District`` is what the generator of ``thanh_giang.py`` returns. The first half of each class is
what papers and agents say; fields named ``true_*`` are known to the generator alone and are compared
with what the system finds.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

PC_KINDS = ("desktop", "all_in_one", "laptop")
STATES = ("no_pc", "verified", "counted", "contradicted", "silent", "unmatched")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the tree; ``parent`` None is the root."""

    code: str
    name: str
    type: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Target:
    """What share of which kinds of people (none named: all) a unit must equip, in percent.

    ``measure`` "coverage" counts people with a PC, "ratio" PCs per person.
    """

    unit: str
    kinds: tuple[str, ...]
    percent: int
    source: str
    measure: str = "coverage"


@dataclass(frozen=True, slots=True)
class Person:
    """An official with one post. ``true_state`` is the coverage state the fleet will act out.

    It is "left" for someone who retired on ``left_on`` and is counted nowhere.
    """

    code: str
    name: str
    unit: str
    kind: str
    post: str
    phone: str
    mailbox: str
    account: str
    true_state: str
    left_on: date | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """An asset on the book with its custody; ``person`` None is the unit's own custody."""

    code: str
    tag: str
    kind: str
    name: str
    manufacturer: str
    model: str
    serial: str | None
    price_dong: int
    in_use_since: date
    unit: str
    person: str | None = None
    place: str | None = None
    ownership: str = "owned"


@dataclass(frozen=True, slots=True)
class Gear:
    """A device registered for polling. ``behaviour`` is "answers", "silent", "narrow" or "reboots".

    A narrow device counts in 32 bits; one that reboots starts its counters anew once.
    """

    code: str
    name: str
    kind: str
    unit: str
    address: str
    asset: str | None
    behaviour: str = "answers"
    port: int = 161


@dataclass(frozen=True, slots=True)
class Line:
    """A contracted line, the port that carries it and the addresses whose echo stands for it.

    Rates and price are 0 where no contract names them; an address stands after its purpose.

    ``fault`` is None or one of FAULTS; ``true_verdict`` is what a sound system must say of it.
    """

    code: str
    name: str
    unit: str
    kind: str
    provider: str
    contract: str
    price_dong: int
    down_mbps: int
    up_mbps: int
    device: str
    interface: str
    probes: tuple[str, ...]
    shared_by: tuple[str, ...] = ()
    fault: str | None = None
    true_verdict: str = "healthy"


FAULTS = ("slow", "outage", "busy_upload", "negotiated", "silent_snmp", "wrap", "reboot")


@dataclass(frozen=True, slots=True)
class Pc:
    """A machine that runs a simulated agent.

    ``unit`` enrolled it, ``account`` sits at it. ``first_working_day`` to ``last_working_day`` count
    back from the last finished day (1 is the newest working day): the days it was on. Its wall clock
    is ``clock_error`` away from the truth. ``dock`` is the MAC of the adapter of a dock it sits at,
    ``host`` the PC on which it is made up, None for one that is real.
    """

    install_id: str
    hostname: str
    unit: str
    manufacturer: str
    product: str
    chassis: str
    serial: str | None
    uuid: str | None
    board_serial: str | None
    disk_serial: str
    mac: str
    memory_gib: int
    account: str
    first_working_day: int = 10
    last_working_day: int = 1
    antivirus: str = "current"
    clock_error: timedelta = timedelta()
    dock: str | None = None
    host: str | None = None
    true_fault: str | None = None


@dataclass(frozen=True, slots=True)
class District:
    """All of it. ``pcs`` are machines, ``things`` the book, ``people`` the organisation."""

    units: tuple[Unit, ...]
    targets: tuple[Target, ...]
    people: tuple[Person, ...]
    things: tuple[Thing, ...]
    gear: tuple[Gear, ...]
    lines: tuple[Line, ...]
    pcs: tuple[Pc, ...]
    notes: dict[str, str] = field(default_factory=dict)

    def subtree(self, code: str) -> set[str]:
        """Return the codes of a unit and all below it."""
        found = {code}
        while more := {u.code for u in self.units if u.parent in found} - found:
            found |= more
        return found

    def true_pcs(self, code: str) -> int:
        """Return how many PCs are booked in a unit's subtree, shared ones too."""
        inside = self.subtree(code)
        return sum(t.kind in PC_KINDS and t.unit in inside for t in self.things)

    def true_states(self, code: str, kinds: tuple[str, ...] = ()) -> dict[str, int]:
        """Return how many people of a unit's subtree are truly in each state, all states named.

        ``kinds`` names who is counted, none named counts all.
        """
        inside = self.subtree(code)
        counts = dict.fromkeys(STATES, 0)
        for person in self.people:
            is_counted = not kinds or person.kind in kinds
            if person.unit in inside and person.left_on is None and is_counted:
                counts[person.true_state] += 1
        return counts
