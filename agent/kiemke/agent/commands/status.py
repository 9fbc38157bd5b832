"""`kiemke-agent status`: all is well, or what to do; in the language of the terminal."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiemke.agent.aside import explain
from kiemke.agent.files import is_missing
from kiemke.agent.pace import Intervals
from kiemke.agent.state import TOKEN_FILE, StateFolder
from kiemke.agent.terminal import say
from kiemke.agent.tongue import in_tongue
from kiemke.agent.words import Both, span, speak
from kiemke.wire.mouth import open_mouth
from kiemke.wire.outbox_store import peek

WELL = ("sent", "idle")
CLOCK_WRONG_SECONDS = 120.0
START = "net start kiemke-agent" if sys.platform == "win32" else "systemctl start kiemke-agent"

COPIED = Both(
    "Ổ đĩa này là bản sao của máy khác (nguồn {source}). Xin mã riêng cho máy này, rồi chạy: "
    "kiemke-agent enroll MÃ",
    "This disk is a copy of another machine's (source {source}). Ask for a token for this one, then: "
    "kiemke-agent enroll TOKEN",
)
NOT_ENROLLED = Both(
    "Chưa ghi danh. Hỏi quản trị viên xin mã, rồi chạy: kiemke-agent enroll MÃ",
    "Not enrolled. Ask your administrator for a token, then: kiemke-agent enroll TOKEN",
)
TOKEN_WAITS = Both(
    "Mã ghi danh đang chờ: máy tự ghi danh khi dịch vụ chạy ({start}).",
    "A token waits: this PC enrols itself when the service runs ({start}).",
)
ENROLLING = Both(
    "Đang chờ ghi danh: {detail}",
    "Waiting to enrol: {detail}",
)
SOURCE = Both("Nguồn {source}, máy chủ {urls}", "Source {source}, server {urls}")
WAITING = Both("Báo cáo đang chờ gửi: {n}", "Reports waiting: {n}")
DEAD = Both(
    "Báo cáo máy chủ từ chối, giữ tại đây: {n}", "Reports the server refused, kept here: {n}"
)
FULL = Both(
    "Ổ đĩa đầy: báo cáo mới chỉ nằm trong bộ nhớ. Hãy giải phóng ổ đĩa.",
    "The disk is full: new reports wait in memory alone. Free some space.",
)
NEVER_RAN = Both("Chưa chạy lần nào: {start}", "It has not run yet: {start}")
LAST_SENT = Both("Gửi lần cuối: {at}", "Last sent: {at}")
NEVER = Both("chưa lần nào", "never")
NOT_SENDING = Both("Không gửi được: {detail}", "Not sending: {detail}")
LOOK = Both("Tìm nguyên nhân bằng: kiemke-agent doctor", "Find out why with: kiemke-agent doctor")
NOT_RUNNING = Both("Có vẻ không chạy: {start}", "It does not seem to run: {start}")
CLOCK = {
    True: Both(
        "Đồng hồ máy này chậm {span} so với máy chủ: hãy chỉnh giờ.",
        "This clock is {span} behind the server's: set it.",
    ),
    False: Both(
        "Đồng hồ máy này nhanh {span} so với máy chủ: hãy chỉnh giờ.",
        "This clock is {span} ahead of the server's: set it.",
    ),
}
SLOWED = Both(
    "Chạy thưa hơn {factor} lần: chương trình này đã dùng bộ xử lý nhiều hơn mức cho phép",
    "Works {factor} times less often: this program used more of the processor than it may",
)
ALL_WELL = Both("Mọi thứ đều tốt.", "All is well.")


def run(state: Path) -> int:
    """Print how the agent is doing; return 0 when all is well, 1 otherwise. Raises StateError."""
    open_mouth()
    lines, well = describe(StateFolder(state), datetime.now(UTC))
    for line in lines:
        say(line)
    return 0 if well else 1


def describe(folder: StateFolder, now: datetime) -> tuple[list[str], bool]:
    """Return the lines to show and whether all is well. Raises StateError."""
    identity = folder.identity()
    said = folder.status()
    if identity is None or identity.source is None:
        if said.get("outcome") == "enrolling":
            return [speak(ENROLLING, detail=in_tongue(said.get("detail", ""))), speak(LOOK)], False
        if said.get("outcome") == "copied":
            return [speak(COPIED, source=said.get("detail", ""))], False
        if waits_for_its_start(folder):
            return [speak(TOKEN_WAITS, start=START)], False
        return [speak(NOT_ENROLLED)], False
    lines = [speak(SOURCE, source=identity.source, urls=", ".join(identity.urls))]
    counts = peek(folder.outbox_path)
    if counts is not None:
        lines.append(speak(WAITING, n=counts.reports))
        if counts.dead:
            lines.append(speak(DEAD, n=counts.dead))
    if said.get("unsaved", "0") != "0":
        return [*lines, speak(FULL)], False
    tried = moment(said.get("tried_at"))
    if tried is None:
        return [*lines, speak(NEVER_RAN, start=START)], False
    sent = moment(said.get("sent_at"))
    lines.append(speak(LAST_SENT, at=speak(NEVER) if sent is None else on_the_wall(sent)))
    if said.get("outcome") not in WELL:
        why = in_tongue(said.get("detail") or said.get("outcome") or "")
        return [*lines, speak(NOT_SENDING, detail=why), speak(LOOK)], False
    if said.get("slowed_by", "1") != "1":
        lines.append(speak(SLOWED, factor=said["slowed_by"]))
    if abs(now - tried) > late_after(said):
        return [*lines, speak(NOT_RUNNING, start=START)], False
    if "aside" in said:
        return [*lines, *explain(said["aside"], identity.source)], False
    offset = clock_offset(said)
    if offset is not None and abs(offset) > CLOCK_WRONG_SECONDS:
        return [*lines, speak(CLOCK[offset > 0], span=span(offset))], False
    return [*lines, speak(ALL_WELL)], True


def waits_for_its_start(folder: StateFolder) -> bool:
    """Tell whether a token lies there that was never tried: a sealed master's clone, an installer's work."""
    return not is_missing(folder.path / TOKEN_FILE)


def late_after(said: dict[str, str]) -> timedelta:
    """Return how long after its last post a running agent has posted again: three intervals of its own."""
    try:
        seconds = float(said["post_seconds"])
    except (KeyError, ValueError):
        seconds = Intervals().post_seconds
    return timedelta(seconds=3 * max(seconds, Intervals().post_seconds))


def clock_offset(said: dict[str, str]) -> float | None:
    """Return the server's clock less this one's in seconds, None when it is not known."""
    try:
        return float(said["clock_offset_seconds"])
    except (KeyError, ValueError):
        return None


def on_the_wall(at: datetime) -> str:
    """Return a moment as this PC's clock on the wall shows it."""
    return at.astimezone().strftime("%d/%m/%Y %H:%M")


def moment(text: str | None) -> datetime | None:
    """Return a moment from its text, None when there is none."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
