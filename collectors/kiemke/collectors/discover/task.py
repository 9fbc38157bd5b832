"""A site to sweep, as the server assigns it: its subnets, and what within them is left alone."""

from dataclasses import dataclass

from kiemke.collectors.discover.door import Door
from kiemke.wire.reach import Network, read_networks

MIN_EVERY_SECONDS = 600.0
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SweepTask:
    """The registered subnets of a site and the denied ones as texts in CIDR form."""

    site: int
    subnets: tuple[str, ...]
    deny: tuple[str, ...]
    every_seconds: float

    def door(self) -> Door:
        """Return the door to what may be asked there."""
        return Door(read_networks(self.subnets), read_networks(self.deny))


def read_sweep(row: object) -> SweepTask:
    """Return one row of the assignment.

    Raises ValueError: a row that cannot be read whole is not swept, for it might open what it shuts.
    """
    if not isinstance(row, dict):
        raise ValueError("not an object")
    site, every = row.get("site"), row.get("every_seconds")
    if isinstance(site, bool) or not isinstance(site, int) or not 1 <= site <= MAX_ID:
        raise ValueError('"site" is not a number')
    if isinstance(every, bool) or not isinstance(every, int | float) or not 0 < every < 10**9:
        raise ValueError('"every_seconds" is not a number')
    return SweepTask(
        site, _texts(row, "subnets"), _texts(row, "deny"), max(MIN_EVERY_SECONDS, float(every))
    )


def _texts(row: dict[str, object], key: str) -> tuple[str, ...]:
    found = row.get(key)
    if not isinstance(found, list):
        raise ValueError(f'"{key}" is not a list of subnets')
    networks: tuple[Network, ...] = read_networks(found)
    return tuple(map(str, networks))
