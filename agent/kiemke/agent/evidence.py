"""Which machine is below this install: short hashes of what its parts say, compared from start to start.

An image of a disk carries an install's secret onto another PC. Nothing of that PC's own parts is then what
it was, and the disk's is not either. A disk that was moved still shows itself, a new main board leaves the disk.
"""

from collections.abc import Mapping

from kiemke.agent.host import Host
from kiemke.wire.inventory import Adapter, Board, Disk, Row, System

# By kind: sorted short hashes of its values. A kind of which nothing is known is not in it.
Evidence = dict[str, list[str]]

SECTIONS = ("system", "board", "adapters", "disks")
SENSORS = ("smbios", "adapters", "disks")
KINDS = ("uuid", "system", "board", "mac", "disk")
LEAST_DIFFERENT = 2
BUILT_IN = ("ethernet", "wireless")
# What firmware says in place of a serial, letters and digits only; the server knows many more.
SAID_BY_MANY = frozenset(
    {
        "NONE", "NA", "UNKNOWN", "INVALID", "EMPTY", "DEFAULTSTRING", "TOBEFILLEDBYOEM", "NOTSPECIFIED",
        "NOTAPPLICABLE", "SYSTEMSERIALNUMBER", "BASEBOARDSERIALNUMBER", "NULL", "OEM", "0123456789",
        "123456789", "1234567890", "12345678", "03000200040005000006000700080009",
        "00020003000400050006000700080009",
    }
)  # fmt: skip
FEWEST_SIGNS = 3  # different ones: "00000000" and "FFFF-FFFF" tell nothing


def of_rows(sections: Mapping[str, tuple[Row, ...]]) -> Evidence:
    """Return the evidence that these sections give; a section that is not there says nothing."""
    values: dict[str, set[str | None]] = {}
    for rows in sections.values():
        for row in rows:
            match row:
                case System():
                    values.setdefault("uuid", set()).add(row.uuid)
                    values.setdefault("system", set()).add(row.serial)
                case Board():
                    values.setdefault("board", set()).add(row.serial)
                case Adapter() if row.kind in BUILT_IN:
                    values.setdefault("mac", set()).add(row.permanent_mac)
                case Disk() if not row.removable:
                    values.setdefault("disk", set()).add(row.serial)
    found = {kind: sorted(filter(None, map(_hash, told))) for kind, told in values.items()}
    return {kind: hashes for kind, hashes in found.items() if hashes}


def _hash(value: str | None) -> str | None:
    """Return a short hash of a value, None of one that many machines say."""
    plain = "".join(sign for sign in (value or "").upper() if sign.isalnum())
    if plain in SAID_BY_MANY or len(set(plain)) < FEWEST_SIGNS:
        return None
    # Only where a section's rows are news: most starts need none of it.
    import hashlib

    return hashlib.blake2b(plain.encode(), digest_size=8).hexdigest()


def is_another(before: Evidence, now: Evidence) -> bool:
    """Tell whether these are two machines: two kinds or more are known of both, and none agrees."""
    known = [kind for kind in KINDS if before.get(kind) and now.get(kind)]
    agree = [kind for kind in known if set(before[kind]) & set(now[kind])]
    return len(known) >= LEAST_DIFFERENT and not agree


def read(host: Host) -> Evidence:
    """Return the evidence of the machine as it is now, read by a child."""
    # Once at a start; the sensors' table is there for the inventory anyway.
    from kiemke.agent import inventory
    from kiemke.agent.sensors import SENSORS as ALL

    wanted = tuple(one for one in ALL if one.module in SENSORS)
    body, _ = inventory.take(host, {}, sensors=wanted)
    return of_rows({name: one.rows for name, one in body.sections.items() if one.rows is not None})


def told(evidence: Evidence) -> str:
    """Return the evidence in one line, for an event: kinds and hashes, no serial."""
    return " ".join(f"{kind}={','.join(evidence[kind])}" for kind in KINDS if kind in evidence)
