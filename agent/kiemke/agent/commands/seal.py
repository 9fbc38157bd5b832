"""`kiemke-agent seal`: makes this PC a master to be imaged; each clone enrols itself at its first start."""

from datetime import UTC, datetime
from pathlib import Path

from kiemke.agent import frozen, kept
from kiemke.agent.commands.status import on_the_wall
from kiemke.agent.enrolment_file import read_enrolment_file, trust_keys
from kiemke.agent.files import StateError
from kiemke.agent.pending import leave_token, waiting_token
from kiemke.agent.state import (
    IDENTITY_FILE,
    MEMORY_FILE,
    OUTBOX_FILE,
    STATUS_FILE,
    StateFolder,
)
from kiemke.agent.terminal import complain, say
from kiemke.agent.tongue import in_tongue
from kiemke.agent.words import Both, speak
from kiemke.wire import enrolment
from kiemke.wire.mouth import open_mouth
from kiemke.wire.outbox_store import FileLock, OutboxBusyError, peek

SHORT_SECONDS = 86_400.0
FORGOTTEN = (IDENTITY_FILE, MEMORY_FILE, STATUS_FILE, kept.FILE)

NO_TOKEN = Both(
    "chưa có mã ghi danh: mỗi máy nhân bản cần nó để tự ghi danh; thêm --token MÃ hoặc --token-file TỆP",
    "there is no enrolment token: each clone needs it to enrol itself; give --token or --token-file",
)
BUSY = Both(
    "dịch vụ còn chạy: dừng nó trước (systemctl stop kiemke-agent; net stop kiemke-agent)",
    "the service is running: stop it first (systemctl stop kiemke-agent; net stop kiemke-agent)",
)
ADMITS = Both(
    "Mã này còn ghi danh được {uses} máy, đến {until}.",
    "The token admits {uses} more PCs, until {until}.",
)
SHORT = Both(
    "Mã chỉ còn {hours} giờ: máy nhân bản khởi động sau đó sẽ không ghi danh được.",
    "The token ends in {hours} hours: a clone that starts later will not enrol.",
)
NOT_ASKED = Both(
    "Không hỏi được máy chủ mã còn dùng được bao lâu ({why}); mã nào cũng hết hạn sau nhiều nhất 14 ngày.",
    "The server could not be asked how long the token lasts ({why}); none lasts longer than 14 days.",
)
DROPPED = Both(
    "{n} báo cáo chưa gửi của máy mẫu đã bỏ.", "{n} unsent reports of the master were dropped."
)
OLD_SOURCE = Both(
    "Nguồn cũ của máy mẫu là {source}: thu hồi bằng kiemke nguon thu-hoi {source}.",
    "The master's own source was {source}: revoke it with kiemke source revoke {source}.",
)
DONE = Both(
    "Đã niêm phong. Tắt máy và tạo ảnh đĩa ngay; nếu máy này khởi động lại trước đó thì niêm phong lại.",
    "Sealed. Shut down and take the image now; if this PC starts before that, seal it again.",
)
DONE_FROZEN = Both(
    "Máy quên mọi thứ khi khởi động: mỗi lần sẽ nhận lại đúng nguồn của mình, không thành máy mới.",
    "This PC forgets at each start: it takes up its own source again, and is no new machine.",
)


def run(state: Path, token: str, token_file: str, *, is_frozen: bool = False) -> int:
    """Forget who this install is, keep the token for the clones; return 0, or 1 with nothing changed.

    Raises StateError or EnrolmentError.
    """
    open_mouth()
    given = read_enrolment_file("" if token.strip() else token_file)
    text = token.strip() or given.token or waiting_token(state)
    if not text:
        complain(speak(NO_TOKEN))
        return 1
    parsed = enrolment.parse_token(text)
    lines = _ask(parsed)
    try:
        lock = FileLock(state / f"{OUTBOX_FILE}.lock")
    except OutboxBusyError:
        complain(speak(BUSY))
        return 1
    try:
        lines += _forget(StateFolder(state))
        trust_keys(state, given.keys)
        leave_token(state, text)
        if is_frozen:
            frozen.mark(state)
    finally:
        lock.release()
    for line in (*lines, *([speak(DONE_FROZEN)] if is_frozen else []), speak(DONE)):
        say(line)
    return 0


def _ask(token: enrolment.Token) -> list[str]:
    """Return how long the token lasts. Raises EnrolmentError when the server refuses it."""
    try:
        found = enrolment.check_token(token, "agent")
    except enrolment.NoAnswerError as err:
        return [speak(NOT_ASKED, why=in_tongue(str(err)))]
    left = (found.expires_at - datetime.now(UTC)).total_seconds()
    until = on_the_wall(found.expires_at)
    lines = [speak(ADMITS, uses=found.uses_left, until=until)]
    if left < SHORT_SECONDS:
        lines.append(speak(SHORT, hours=max(0, int(left // 3600))))
    return lines


def _forget(folder: StateFolder) -> list[str]:
    """Take away all that is this install's own; return what there is to say. Raises StateError."""
    lines = []
    identity = folder.identity()
    counts = peek(folder.outbox_path)
    try:
        # The identity last: cut short, this is still the PC it was.
        for file in folder.path.glob(f"{OUTBOX_FILE}*"):
            if not file.name.endswith(".lock"):
                file.unlink()
        for name in reversed(FORGOTTEN):
            (folder.path / name).unlink(missing_ok=True)
    except OSError as err:
        raise StateError(f"{err.filename}: {err.strerror or err}; run this as root") from err
    if counts is not None and counts.reports:
        lines.append(speak(DROPPED, n=counts.reports))
    if identity is not None and identity.source is not None:
        lines.append(speak(OLD_SOURCE, source=identity.source))
    return lines
