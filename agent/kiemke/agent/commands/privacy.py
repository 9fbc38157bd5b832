"""`kiemke-agent privacy`: what is told about persons, and its switches."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from kiemke.agent import privacy
from kiemke.agent.files import StateError, is_missing
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import complain, say
from kiemke.agent.tongue import in_tongue
from kiemke.agent.words import Both, speak
from kiemke.wire.mouth import open_mouth

UNKNOWN_ITEM = 2
HEEDED = Both(
    "Dịch vụ theo ngay từ mẫu và bản kiểm kê tới; điều đã gửi trước đó vẫn ở máy chủ đến khi bị thay hoặc hết hạn giữ.",
    "Heeded from the next sample and inventory on; what was sent before stays with the server until replaced or pruned.",
)


def run(state: Path, off: Sequence[str], on: Sequence[str]) -> int:
    """Switch, then print every item and whether it is told; return 0, or 2 for an unknown item.

    Raises StateError when the switches cannot be read or written.
    """
    open_mouth()
    unknown = sorted({*off, *on} - privacy.NAMES)
    if unknown:
        names = ", ".join(sorted(privacy.NAMES))
        complain(in_tongue(f"no item {unknown[0]!r}; there are {names}"))
        return UNKNOWN_ITEM
    if not is_missing(state) and not os.access(state, os.R_OK | os.X_OK):
        raise StateError(f"{state}: {os.strerror(errno.EACCES)}; run this as root")
    known = privacy.read_off(state)
    now = (known | frozenset(off)) - frozenset(on)
    if off or on:
        StateFolder(state).prepare()
        privacy.save_off(state, now)
    width = max(map(len, privacy.NAMES))
    states = {True: speak(Both("tắt", "off")), False: speak(Both("bật", "on"))}
    for item in privacy.ITEMS:
        told = in_tongue(item.words)
        say(f"{states[item.name in now]:3s}  {item.name:{width}s}  {told}")
    if off or on:
        say(speak(HEEDED))
    return 0
