"""`kiemke-agent inventory`: what the agent would report of this machine, as JSON, or what changed."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kiemke.agent import kept
from kiemke.agent.changes import Change, compare
from kiemke.agent.files import StateError
from kiemke.agent.host import open_host
from kiemke.agent.sensors.reading import Reading, read_all
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import say
from kiemke.agent.tongue import in_tongue
from kiemke.agent.words import Both, speak
from kiemke.wire.mouth import open_mouth

NO_COPY = Both(
    "Chưa có bản kiểm kê nào được giữ lại: dịch vụ chưa gửi lần nào (hoặc chạy lệnh này bằng root).",
    "No inventory is kept here: the service has told none yet (or run this as root).",
)
BYTES = "_bytes"
MEGABYTE, GIGABYTE = 10**6, 10**9
SAME = Both("Không có gì thay đổi từ lần gửi trước.", "Nothing changed since it was last told.")
NOT_SENT = Both(
    "  (bản trước chưa được máy chủ nhận)", "  (the last one has not been received yet)"
)
UNREADABLE = Both("  không đọc được lúc này: {why}", "  cannot be read now: {why}")


def run(state: Path, root: Path, *, diff: bool = False) -> int:
    """Print every section with its status and rows, or with ``diff`` what changed since it was told.

    Nothing is sent or stored. ``root`` other than / reads a recorded machine. Return 0, with ``diff``
    also when there are changes, 1 when there is nothing to compare with.
    """
    folder = StateFolder(state)
    try:
        known = folder.identity()
    except StateError:
        known = None  # not root: the inventory is shown all the same
    readings = read_all(open_host(root, known.install_id if known else "", state))
    if diff:
        return _show_changes(folder, readings)
    shown = {name: asdict(reading) for name, reading in readings.items()}
    say(json.dumps(shown, ensure_ascii=False, indent=1))
    return 0


def _show_changes(folder: StateFolder, readings: dict[str, Reading]) -> int:
    """Print what came, went and changed by section."""
    open_mouth()
    before = kept.read(folder.path)
    if not before:
        say(speak(NO_COPY))
        return 1
    acked = folder.memory().acked_tokens
    is_same = True
    for name, reading in readings.items():
        token, rows = before.get(name, ("", []))
        if reading.rows is None:
            if rows:
                is_same = False
                say(name)
                say(speak(UNREADABLE, why=in_tongue(reading.detail or reading.status)))
            continue
        changes = compare(rows, [asdict(row) for row in reading.rows])
        if changes:
            is_same = False
            say(name)
            if token and acked.get(name) != token:
                say(speak(NOT_SENT))
            for change in changes:
                say(_line(change))
    if is_same:
        say(speak(SAME))
    return 0


def _line(change: Change) -> str:
    """Return one change: + came, - went, ~ is another."""
    if change.before is None or change.now is None:
        row: dict[str, Any] = change.now or change.before or {}
        told = ", ".join(f"{_name(name)} {_text(value, name)}" for name, value in row.items())
        return f"  {'+' if change.before is None else '-'} {told}"
    told = ", ".join(
        f"{_name(name)}: {_pair(change.before.get(name), change.now.get(name), name)}"
        for name in change.differing
    )
    first = next(iter(change.now), None)
    head = "" if first is None or first in change.differing else f"{_text(change.now[first])}: "
    return f"  ~ {head}{told}"


def _pair(before: object, now: object, field: str) -> str:
    """Return both values; sizes that look alike in their unit are told to the byte."""
    told = _text(before, field), _text(now, field)
    return " → ".join(told if told[0] != told[1] else (_text(before), _text(now)))


def _name(field: str) -> str:
    return field.removesuffix(BYTES)


def _text(value: object, field: str = "") -> str:
    """Return a value in words; a size in the unit a person reads."""
    if field.endswith(BYTES) and isinstance(value, int) and value >= MEGABYTE:
        return f"{value / GIGABYTE:.1f} GB" if value >= GIGABYTE else f"{value / MEGABYTE:.0f} MB"
    return "-" if value is None else json.dumps(value, ensure_ascii=False).strip('"')
