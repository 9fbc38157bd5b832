"""What a process holds of the memory, by the three ways of counting pages that it shares."""

from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes: all mapped pages; shared ones divided among their processes; its own alone; the most ever mapped."""

    resident: int
    proportional: int
    own: int
    peak: int

    def __str__(self) -> str:
        """Return all three in MiB."""
        sizes = (self.resident, self.proportional, self.own)
        return " / ".join(f"{one / MEBIBYTE:.1f}" for one in sizes) + " MiB"


def held(pid: int) -> Held:
    """Return what a process holds. Source: proc(5), smaps_rollup and status. Raises OSError."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    rows += [
        row
        for row in Path(f"/proc/{pid}/status").read_text().splitlines()
        if row.startswith("VmHWM")
    ]
    said = {name: int(rest.split()[0]) * 1024 for name, _, rest in (r.partition(":") for r in rows)}
    return Held(
        resident=said["Rss"],
        proportional=said["Pss"],
        own=said["Private_Clean"] + said["Private_Dirty"],
        peak=said["VmHWM"],
    )
