"""`kiemke-agent privacy`: what is told about persons, and its switches."""

from collections.abc import Sequence
from pathlib import Path

from kiemke.agent import privacy
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import complain, say

UNKNOWN_ITEM = 2


def run(state: Path, off: Sequence[str], on: Sequence[str]) -> int:
    """Switch, then print every item and whether it is told; return 0, or 2 for an unknown item.

    Raises StateError when the switches cannot be written.
    """
    unknown = sorted({*off, *on} - privacy.NAMES)
    if unknown:
        complain(f"no item {unknown[0]!r}; there are {', '.join(sorted(privacy.NAMES))}")
        return UNKNOWN_ITEM
    known = privacy.read_off(state)
    now = (known | frozenset(off)) - frozenset(on)
    if off or on:
        StateFolder(state).prepare()
        privacy.save_off(state, now)
    width = max(map(len, privacy.NAMES))
    for item in privacy.ITEMS:
        say(f"{'off' if item.name in now else 'on ':3s}  {item.name:{width}s}  {item.words}")
    return 0
