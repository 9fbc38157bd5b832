"""`kiemke-agent setup`: what an installer leaves for the service: its folder, its entry, its token."""

import sys
from pathlib import Path

from kiemke.agent.enrolment_file import read_enrolment_file, trust_keys
from kiemke.agent.files import StateError
from kiemke.agent.pending import leave_token
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import complain, say
from kiemke.agent.tongue import in_tongue
from kiemke.agent.update.places import checked_key
from kiemke.agent.words import Both, speak
from kiemke.wire import enrolment
from kiemke.wire.mouth import open_mouth

ENROLS = Both("sẵn sàng: ghi danh ngay khi dịch vụ chạy", "ready: it enrols as soon as it runs")
NOT_ENROLLED = Both("sẵn sàng, chưa ghi danh", "ready, not enrolled")
NOT_OURS = Both(
    "{state} không phải của riêng dịch vụ: người không có quyền đã lập nó hoặc đặt gì vào. Nó nằm ở {aside}, "
    "không gì trong đó được dùng; xem rồi xóa",
    "{state} was not ours alone: somebody without rights had made it or put something there. It lies in {aside} "
    "now, nothing of it is used; look at it and delete it",
)


def run(state: Path, token: str, token_file: str, package: str = "", update_key: str = "") -> int:
    """Prepare the folder (on Windows the service too), leave the token and trust the keys; return 0.

    Either token may be "": then the machine is installed and not enrolled. ``token_file`` is
    deleted once its token is kept. ``package``, the installer that calls, is kept on Windows. ``update_key``
    and the keys in the file are trusted for releases. Nothing is sent: the service enrols when it runs.
    Raises StateError or EnrolmentError, with nothing left half done.
    """
    open_mouth()
    given = read_enrolment_file("" if token.strip() else token_file)
    text = token.strip() or given.token
    keys = tuple(checked_key(key) for key in (*given.keys, *update_key.split()))
    if text:
        enrolment.parse_token(text)  # a cut token is told now, at the machine
    folder = StateFolder(state)
    if sys.platform == "win32":
        _prepare_windows(state)
        _keep_package(package)
    folder.prepare()
    trust_keys(state, keys)
    if text:
        leave_token(state, text)
        if token_file and not token.strip():
            _delete(Path(token_file))
    say(speak(ENROLS if text else NOT_ENROLLED))
    return 0


def remove() -> int:
    """Take away what Windows would leave behind when the program goes: the scheduled task; return 0.

    Not while a release is being changed: then only that task can put the program back.
    """
    if sys.platform != "win32":
        return 0
    # Windows alone has these.
    from kiemke.agent.service import task
    from kiemke.agent.update.places import default_updater, read_journal

    try:
        if read_journal(default_updater()).pending is None:
            task.unregister()
    except (OSError, StateError) as err:
        complain(in_tongue(f"the scheduled task {task.TASK_NAME} may be left: {err}"))
    return 0


def _delete(file: Path) -> None:
    """Take the token's file away; a stick that cannot be written is told."""
    try:
        file.unlink()
    except OSError as err:
        why = err.strerror or err
        complain(in_tongue(f"{file}: not deleted ({why}); delete it yourself, it admits PCs"))


def _keep_package(package: str) -> None:
    """Keep the installer as the way back from a later release; told, and no failure, when it cannot be."""
    # Windows alone has these.
    from kiemke.agent.update.installers import InstallError, find_installer
    from kiemke.agent.update.places import default_updater

    if not package:
        return
    try:
        updater = default_updater()
        updater.mkdir(parents=True, exist_ok=True)
        installer = find_installer(updater)
        if installer is not None:
            installer.confirm(Path(package))
    except (OSError, InstallError) as err:
        complain(
            in_tongue(f"{package}: not kept ({err}); this PC cannot be renewed by signed releases")
        )


def _prepare_windows(state: Path) -> None:
    """Close the folder to all but the service, and enter the service. Raises StateError."""
    # Windows alone has these.
    from kiemke.agent.service.entry import SERVICE_NAME, entry
    from kiemke.wire.windows_service import manager, owner

    program = Path(sys.executable).with_name("kiemke-agent-service.exe")
    try:
        refused = manager.install(
            entry(program if program.exists() else Path(sys.executable), state)
        )
        aside = owner.secure(state, SERVICE_NAME)
    except OSError as err:
        raise StateError(f"{state}: {err}; run this as administrator") from err
    if aside is not None:
        complain(speak(NOT_OURS, state=state, aside=aside))
    for name in refused:
        complain(in_tongue(f"service: {name} could not be set"))
