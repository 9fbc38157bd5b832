"""From device to device along what they tell of each other, within the site's registered subnets."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from kiemke.collectors.discover.door import Door, NotAllowed
from kiemke.collectors.trace import Trace, no_trace
from kiemke.wire.lan import Neighbours

# Only gear is followed: a PC or a phone that speaks LLDP is not asked by SNMP.
FOLLOWED = {"bridge", "router", "access_point", "repeater"}
MOST = 500

Read = Callable[[str], Awaitable[Neighbours]]


@dataclass(frozen=True, slots=True)
class Step:
    """One device of a crawl: its address, the address that told of it (None: a seed), its tables."""

    address: str
    told_by: str | None
    tables: Neighbours


async def crawl(
    seeds: Iterable[str], read: Read, door: Door, *, most: int = MOST, trace: Trace = no_trace
) -> list[Step]:
    """Read the seeds and every device that they and their neighbours name, each once.

    ``read`` asks one address; it is called only for addresses the door lets through. A neighbour's word
    is no more than an address to try.
    """
    waiting: deque[tuple[str, str | None]] = deque((seed, None) for seed in seeds)
    known = {address for address, _ in waiting}
    steps: list[Step] = []
    while waiting and len(steps) < most:
        address, told_by = waiting.popleft()
        try:
            leave = await door.enter(address)
        except NotAllowed as err:
            trace("left alone", {"address": address, "because": str(err)})
            continue
        found = await read(leave.address)
        steps.append(Step(address, told_by, found))
        for beside in found.neighbours or ():
            if FOLLOWED & set(beside.abilities):
                for other in beside.addresses:
                    if other not in known:
                        known.add(other)
                        waiting.append((other, address))
    return steps
