"""`kiemke-agent update`: trust a key, fetch what it signed, install it, show how it stands."""

import shutil
import subprocess
import sys
from pathlib import Path

from kiemke.agent.files import NotEnrolledError, StateError, read_json
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import complain, say
from kiemke.agent.tongue import in_tongue
from kiemke.agent.update.installers import PACKAGE, Installer, find_installer
from kiemke.agent.update.places import (
    LOCK_FILE,
    OUTCOME_FILE,
    Places,
    default_updater,
    read_journal,
    trust,
    trusted_keys,
    trusts_nobody,
)
from kiemke.agent.words import Both, speak
from kiemke.wire import __version__
from kiemke.wire.mouth import open_mouth

RUNNER = "runner"  # the updater's folder of the copy that installs
NO_PACKAGE = Both(
    "chương trình này không được cài bằng gói (.deb hay .msi): nâng cấp theo cách đã cài",
    "this agent did not come as a package (.deb or .msi): renew it the way it was installed",
)
NO_KEY = Both(
    "ở đây chưa tin khóa nào: không tải gì, không cài gì",
    "no key is trusted here: nothing is fetched, nothing installed",
)
TRUSTED = Both("từ nay được tin", "trusted from now on")
KNOWN = Both("đã được tin từ trước", "trusted already")
INSTALLED = Both("đang cài: {version}", "installed: {version}")
KEY = Both("khóa được tin: {key}", "trusted key: {key}")
LAST = Both("lần gần nhất: {told}", "last: {told}")
WATCHED = Both("đang theo dõi: {version}", "being watched: {version}")
DOUBTED = Both(
    "đã lùi lại khi không tới được máy chủ, sẽ thử lại: {version}",
    "taken back while the server was not reached, tried again: {version}",
)
TAKEN_BACK = Both("đã lùi lại ở đây: {versions}", "taken back here: {versions}")
CAME = {
    "nothing": Both("không có gì để cài", "nothing to install"),
    "refused": Both("không cài bản {version}", "refused {version}"),
    "installed": Both("đã cài bản {version}", "installed {version}"),
    "rolled_back": Both("đã lùi lại từ bản {version}", "took {version} back"),
}
WAITS = Both("một bản phát hành đang chờ cài", "a release waits to be installed")


def run(step: str, state: Path, key: str, updater: Path | None, root: Path) -> int:
    """Do one step; return 0, 1 when there was something to say against it. Raises StateError."""
    open_mouth()
    places = Places(state, default_updater() if updater is None else updater)
    if step == "trust":
        return _trust(places, key, root)
    if step == "show":
        return _show(places)
    if trusts_nobody(places.updater):
        say(speak(NO_KEY))
        return 0
    installer = find_installer(places.updater, root)
    if installer is None:
        complain(speak(NO_PACKAGE))
        return 1
    return _fetch(places, installer) if step == "fetch" else _apply(places, installer)


def _trust(places: Places, key: str, root: Path) -> int:
    """Trust a key; on Windows the scheduled task is made with the first one."""
    is_new = trust(places.updater, key)
    if sys.platform == "win32":
        schedule(places, Path(sys.executable))
    say(speak(TRUSTED if is_new else KNOWN))
    if find_installer(places.updater, root) is None:
        complain(speak(NO_PACKAGE))
    return 0


def schedule(places: Places, program: Path) -> None:
    """Make the scheduled task that runs ``program``. Raises StateError. Windows only."""
    # Only Windows has the scheduler.
    from kiemke.agent.service import task

    try:
        task.register(program, places.state, places.updater)
    except OSError as err:
        raise StateError(
            f"the scheduled task was not made: {err}; run this as administrator"
        ) from err


def _fetch(places: Places, installer: Installer) -> int:
    """Bring what the server offers."""
    # TLS; the other steps open no connection.
    from kiemke.agent.update.fetch import FetchError, fetch

    identity = StateFolder(places.state).identity()
    if identity is None:
        raise NotEnrolledError("not enrolled yet: run kiemke-agent enroll TOKEN")
    try:
        say(in_tongue(fetch(places, identity, installer.system)))
    except FetchError as err:
        complain(in_tongue(str(err)))
        return 1
    return 0


def _apply(places: Places, installer: Installer) -> int:
    """Install what waits."""
    # The one-shot alone.
    from kiemke.agent.update.apply import Updater
    from kiemke.agent.update.decide import WORDS

    updater = Updater(places, installer)
    steps_aside = sys.platform == "win32" and updater.is_due()
    is_aside = Path(sys.executable).is_relative_to(places.updater / RUNNER)
    if steps_aside and not is_aside:
        return _step_aside(places)
    if steps_aside:
        # While the program is taken away and put back, a power cut must leave the task one that is there.
        schedule(places, Path(sys.executable))
    outcome = updater.run()
    program = places.updater.parent / PACKAGE / Path(sys.executable).name
    if steps_aside and program.exists():
        schedule(places, program)
    say(_came(outcome.what, outcome.version, WORDS.get(outcome.reason, outcome.reason)))
    return 1 if outcome.what == "rolled_back" else 0


def _step_aside(places: Places) -> int:
    """Go on in a copy of this program, so that the installer can replace every file; return 0.

    Raises StateError.
    """
    # The one-shot alone.
    from kiemke.wire.outbox_store import FileLock, OutboxBusyError

    program = Path(sys.executable)
    runner = places.updater / RUNNER
    try:
        # The copy that is at work must not be taken away under it.
        lock = FileLock(places.updater / LOCK_FILE)
        try:
            shutil.rmtree(runner, ignore_errors=True)
            shutil.copytree(program.parent, runner)
        finally:
            lock.release()
    except OutboxBusyError:
        return 0
    except OSError as err:
        raise StateError(f"{runner}: {err.strerror or err}; run this as administrator") from err
    words = ["update", "apply", "--state", str(places.state), "--updater", str(places.updater)]
    subprocess.Popen(  # noqa: S603 - our own copy of this very program
        [str(runner / program.name), "-m", "kiemke.agent.main", *words],
        cwd=runner, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )  # fmt: skip
    return 0


def _came(what: str, version: str, reason: str) -> str:
    """Return what came of a release, in a sentence."""
    told = speak(CAME[what], version=version) if what in CAME else f"{version} {what}".strip()
    return f"{told.strip()}: {in_tongue(reason)}" if reason else told.strip()


def _show(places: Places) -> int:
    """Print whom this PC trusts, what waits and what came of the last release."""
    # The one-shot's half.
    from kiemke.agent.update.apply import is_waiting

    keys = trusted_keys(places.updater)
    say(speak(INSTALLED, version=__version__))
    for key in keys:
        say(speak(KEY, key=key.hex()))
    if not keys:
        say(speak(NO_KEY))
    try:
        said = read_json(places.updater / OUTCOME_FILE) or {}
        detail = said.get("detail")
        if isinstance(detail, dict):
            told = (str(detail.get(name, "")) for name in ("outcome", "version", "reason"))
            say(speak(LAST, told=_came(*told)))
        journal = read_journal(places.updater)
        if journal.pending is not None:
            say(speak(WATCHED, version=journal.pending.version))
        if journal.doubt is not None:
            say(speak(DOUBTED, version=journal.doubt.version))
        if journal.failed:
            say(speak(TAKEN_BACK, versions=", ".join(journal.failed)))
        if is_waiting(places, journal):
            say(speak(WAITS))
    except OSError as err:
        raise StateError(f"{err.filename}: {err.strerror}; run this as root") from err
    return 0
