"""The one-shot that installs releases: everything it refuses, and what it takes back."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.agent.files import StateError, write_json
from kiemke.agent.service.task import register, task_xml
from kiemke.agent.state import AgentIdentity, StateFolder
from kiemke.agent.update import installers
from kiemke.agent.update.apply import Outcome, Updater
from kiemke.agent.update.decide import Facts, refusal
from kiemke.agent.update.installers import InstallError, Msi
from kiemke.agent.update.places import (
    LOCK_FILE,
    Journal,
    Pending,
    Places,
    read_journal,
    save_journal,
    trust,
    trusted_keys,
)
from kiemke.agent.update.renewal import Renewal
from kiemke.wire.outbox_store import FileLock
from kiemke.wire.update import Signed, bucket_of
from tests.support.releases import public_of, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
NOW = datetime(2026, 3, 10, tzinfo=UTC)
PACKAGE = b"a package"
FACTS = Facts("0.1.0", "debian-amd64", "s1", (public_of(KEY),), 100, NOW)


@dataclass
class FakeInstaller:
    """Notes what it was asked to do; ``breaks`` fails at that step."""

    system: str = "debian-amd64"
    ending: str = ".deb"
    breaks: str = ""
    done: list[str] = field(default_factory=list)
    on_install: Callable[[], None] = lambda: None

    def _do(self, what: str) -> None:
        if self.breaks == what:
            raise InstallError(f"{what} broke")
        self.done.append(what)

    def keep(self, folder: Path) -> Path:
        self._do("keep")
        return folder / "previous.deb"

    def install(self, package: Path) -> None:
        assert package.read_bytes() == PACKAGE
        self._do("install")
        self.on_install()

    def go_back(self, package: Path) -> None:
        self._do(f"back to {package.name}")

    def confirm(self, package: Path) -> None:
        self._do("confirm")


class Time:
    """Seconds that pass when somebody rests."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def rest(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A PC on which one key is trusted and the release 0.2.0 waits."""
    places = Places(tmp_path / "state", tmp_path / "updater")
    places.inbox.mkdir(parents=True)
    trust(places.updater, public_of(KEY).hex())
    StateFolder(places.state).save_identity(AgentIdentity("ab" * 16, "secret", source="s1"))
    leave(places, sign(KEY, PACKAGE, signed_at=NOW))
    return places


def leave(places: Places, signed: Signed, package: bytes = PACKAGE) -> None:
    places.signed.write_bytes(signed.encode())
    places.package.write_bytes(package)
    write_json(places.offer, {"percent": 100})


def report(places: Places, version: str, outcome: str = "sent") -> None:
    StateFolder(places.state).save_status({"version": version, "outcome": outcome})


def run(places: Places, installer: FakeInstaller, time: Time | None = None) -> Outcome:
    time = time or Time()
    return Updater(
        places, installer, version="0.1.0", now=lambda: NOW, seconds=time, rest=time.rest
    ).run()


def told(places: Places) -> dict[str, str]:
    news = Renewal(places.state, places.updater).news(None)
    return {} if news is None else news[1].detail


BUCKET = bucket_of("s1", "0.2.0")


@pytest.mark.parametrize(
    ("signed", "facts", "why"),
    [
        (sign(KEY, PACKAGE, signed_at=NOW), FACTS, None),
        (sign(STRANGER, PACKAGE, signed_at=NOW), FACTS, "unsigned"),
        (sign(KEY, PACKAGE, signed_at=NOW), replace(FACTS, keys=()), "unsigned"),
        (sign(KEY, PACKAGE, signed_at=NOW, system="windows-amd64"), FACTS, "system"),
        (sign(KEY, PACKAGE, "0.1.0", signed_at=NOW), FACTS, "not_newer"),
        (sign(KEY, PACKAGE, "0.0.9", signed_at=NOW), FACTS, "not_newer"),
        # The PC was put back by an image: what was installed once is the least that is taken.
        (sign(KEY, PACKAGE, signed_at=NOW), replace(FACTS, journal=Journal("0.3.0")), "not_newer"),
        (
            sign(KEY, PACKAGE, signed_at=NOW),
            replace(FACTS, journal=Journal(failed=("0.2.0",))),
            "failed_before",
        ),
        (sign(KEY, PACKAGE, signed_at=NOW - timedelta(days=31)), FACTS, "expired"),
        (sign(KEY, PACKAGE, signed_at=NOW), replace(FACTS, percent=BUCKET), "not_staged"),
        (sign(KEY, PACKAGE, signed_at=NOW), replace(FACTS, percent=BUCKET + 1), None),
        # A clock without a battery does not make an old release young again.
        (
            sign(KEY, PACKAGE, signed_at=NOW - timedelta(days=31)),
            replace(
                FACTS,
                now=NOW - timedelta(days=6000),
                journal=Journal(last_signed_at=NOW.isoformat()),
            ),
            "expired",
        ),
    ],
)
def test_only_what_is_signed_newer_in_time_and_this_pcs_turn_is_taken(
    signed: Signed, facts: Facts, why: str | None
) -> None:
    assert refusal(signed, facts) == why


def test_a_release_that_reports_stays_and_the_server_is_told_once(places: Places) -> None:
    installer = FakeInstaller(on_install=lambda: report(places, "0.2.0"))
    report(places, "0.1.0")

    outcome = run(places, installer)

    journal = read_journal(places.updater)
    assert outcome == Outcome("installed", "0.2.0")
    assert installer.done == ["keep", "install", "confirm"]
    assert (journal.floor, journal.pending, journal.failed) == ("0.2.0", None, ())
    assert told(places) == {"outcome": "installed", "version": "0.2.0", "from": "0.1.0"}
    renewal = Renewal(places.state, places.updater)
    news = renewal.news(None)
    assert news is not None and renewal.news(news[0]) is None
    assert run(places, FakeInstaller()) == Outcome("nothing")


@pytest.mark.parametrize("said", [None, "0.1.0", "0.2.0 but not well"])
def test_a_release_that_does_not_report_within_ten_minutes_is_taken_back_for_good(
    places: Places, said: str | None
) -> None:
    def speak() -> None:
        if said is not None:
            report(places, said.split()[0], "retry" if "not well" in said else "sent")

    installer, time = FakeInstaller(on_install=speak), Time()
    report(places, "0.2.0")  # what a file from before says is no report

    outcome = run(places, installer, time)

    assert (outcome.what, outcome.version) == ("rolled_back", "0.2.0")
    assert 600.0 <= time.seconds <= 605.0
    assert installer.done == ["keep", "install", "back to previous.deb"]
    assert replace(read_journal(places.updater), handled=None) == Journal(
        failed=("0.2.0",), last_signed_at=NOW.isoformat()
    )
    assert told(places)["reason"] == "it did not report within ten minutes"
    leave(places, sign(KEY, PACKAGE, signed_at=NOW))
    assert run(places, FakeInstaller()).reason == "failed_before"


def test_a_package_that_cannot_be_installed_is_taken_back_at_once(places: Places) -> None:
    installer, time = FakeInstaller(breaks="install"), Time()

    outcome = run(places, installer, time)

    assert (outcome.what, outcome.reason, time.seconds) == ("rolled_back", "install broke", 0.0)
    assert installer.done == ["keep", "back to previous.deb"]


def test_without_a_way_back_nothing_is_installed(places: Places) -> None:
    installer = FakeInstaller(breaks="keep")

    assert run(places, installer).what == "refused"
    assert installer.done == []
    assert places.signed.exists()  # the disk may have room at the next try


def test_a_power_cut_between_the_steps_is_gone_on_from(places: Places) -> None:
    """The journal was written before the change: the next run only watches, or takes back."""
    save_journal(places.updater, Journal(pending=Pending("0.2.0", "0.1.0", "/x/previous.deb")))
    report(places, "0.2.0")
    watched, installer = run(places, FakeInstaller()), FakeInstaller()
    save_journal(places.updater, Journal(pending=Pending("0.2.0", "0.1.0", "/x/previous.deb")))
    (places.state / "status.json").unlink()
    taken_back = run(places, installer)

    assert (watched.what, taken_back.what) == ("installed", "rolled_back")
    assert installer.done == ["back to previous.deb"]


def test_a_way_back_that_fails_is_tried_again(places: Places) -> None:
    with pytest.raises(StateError, match="tried again"):
        run(places, FakeInstaller(breaks="back to previous.deb"))

    assert read_journal(places.updater).pending is not None
    assert run(places, FakeInstaller()).what == "rolled_back"


@pytest.mark.parametrize("how", ["package", "manifest", "link", "pipe", "huge"])
def test_what_the_account_without_rights_can_do_to_what_waits_installs_nothing(
    places: Places, how: str, tmp_path: Path
) -> None:
    """It may write into its own folder what it likes."""
    match how:
        case "package":
            places.package.write_bytes(b"a packagE")
        case "manifest":
            places.signed.write_bytes(places.signed.read_bytes().replace(b"0.2.0", b"0.9.0"))
        case "link":
            (tmp_path / "elsewhere").write_bytes(PACKAGE)
            places.package.unlink()
            places.package.symlink_to(tmp_path / "elsewhere")
        case "pipe":
            places.package.unlink()
            os.mkfifo(places.package)
        case "huge":
            places.signed.write_bytes(b" " * 5000)
    installer = FakeInstaller()

    try:
        outcome = run(places, installer)
    except StateError:
        outcome = Outcome("refused")

    assert outcome.what == "refused"
    assert installer.done == []


def test_root_deletes_and_writes_nothing_in_the_folder_of_the_account_without_rights(
    places: Places, tmp_path: Path
) -> None:
    """A link in the place of the inbox would make it delete files of that name anywhere."""
    victim = tmp_path / "victim"
    places.inbox.rename(victim)
    places.inbox.symlink_to(victim)
    places.signed.write_bytes(places.signed.read_bytes().replace(b"0.2.0", b"0.9.0"))
    before = {file: file.read_bytes() for file in victim.iterdir()}

    refused, again = run(places, FakeInstaller()), run(places, FakeInstaller())

    assert (refused.what, again) == ("refused", Outcome("nothing"))
    assert {file: file.read_bytes() for file in victim.iterdir()} == before
    assert not (places.updater / "staging").exists()


@pytest.mark.parametrize("how", ["pipe", "deep", "endless"])
def test_what_that_account_says_of_itself_neither_holds_nor_breaks_the_one_shot(
    places: Places, how: str
) -> None:
    """A new agent that is taken over must not escape being taken back."""
    save_journal(places.updater, Journal(pending=Pending("0.2.0", "0.1.0", "/x/previous.deb")))
    file = places.state / "status.json"
    match how:
        case "pipe":
            os.mkfifo(file)
        case "deep":
            file.write_text("[" * 100_000)
        case "endless":
            file.symlink_to("/dev/zero")

    assert run(places, FakeInstaller()).what == "rolled_back"


@pytest.mark.parametrize("name", ["identity.json", "update/offer.json"])
def test_who_this_is_and_its_turn_are_asked_of_plain_files_alone(places: Places, name: str) -> None:
    (places.state / name).unlink()
    os.mkfifo(places.state / name)

    with pytest.raises(StateError, match=name):
        run(places, FakeInstaller())


def test_a_second_name_of_somebody_elses_file_is_not_taken(places: Places, tmp_path: Path) -> None:
    places.package.rename(tmp_path / "elsewhere")
    os.link(tmp_path / "elsewhere", places.package)

    with pytest.raises(StateError, match="no file of its own"):
        run(places, FakeInstaller())


def test_what_the_updater_noted_can_be_read_by_the_agent_that_fetches(places: Places) -> None:
    """Its journal says which version was taken back here: without it nothing more would be fetched."""
    run(places, FakeInstaller(on_install=lambda: report(places, "0.2.0")))

    for name in ("journal.json", "outcome.json", "keys"):
        assert (places.updater / name).stat().st_mode & 0o777 == 0o644


def test_the_latest_signature_believed_stays_the_latest(places: Places) -> None:
    """A newer version that was signed earlier does not turn the clock back."""
    later = (NOW + timedelta(days=9)).isoformat()
    save_journal(places.updater, Journal(last_signed_at=later))

    run(places, FakeInstaller(on_install=lambda: report(places, "0.2.0")))

    assert read_journal(places.updater).last_signed_at == later


def test_one_run_at_a_time(places: Places) -> None:
    lock, installer = FileLock(places.updater / LOCK_FILE), FakeInstaller()

    assert run(places, installer) == Outcome("nothing", reason="another run is at work")
    assert installer.done == []
    lock.release()


def test_keys_that_others_could_have_written_are_not_believed(places: Places) -> None:
    (places.updater / "keys").chmod(0o664)

    with pytest.raises(StateError, match="chown root"):
        trusted_keys(places.updater)


def test_a_release_that_windows_installer_undid_itself_is_gone_back_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """msiexec /x of what is not installed answers 1605: that is no reason to stay half way."""
    (tmp_path / "staging").mkdir()
    (tmp_path / "staging" / "package.msi").touch()
    ran: list[str] = []

    def windows(command: Sequence[str], good: Sequence[int]) -> str:
        ran.append(command[1])
        if {"/x": 1605, "/i": 0}[command[1]] not in good:
            raise InstallError("it failed")
        return ""

    monkeypatch.setattr(installers, "_run", windows)
    Msi(tmp_path, ("msiexec",)).go_back(tmp_path / "previous" / "installed.msi")

    assert ran == ["/x", "/i"]


def test_root_follows_no_link_that_the_account_put_into_its_folder(tmp_path: Path) -> None:
    """`sudo kiemke-agent enroll` writes there: a planted link must not make it overwrite a file."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / f"identity.json.new-{os.getpid()}").symlink_to(victim)

    StateFolder(folder).save_identity(AgentIdentity("ab" * 16, "secret"))

    assert victim.read_text() == "mine"
    assert not (folder / "identity.json").is_symlink()


def test_a_key_is_trusted_once_and_what_is_no_key_never(places: Places) -> None:
    assert trust(places.updater, public_of(KEY).hex().upper()) is False
    assert trust(places.updater, public_of(STRANGER).hex()) is True
    assert trusted_keys(places.updater) == (public_of(KEY), public_of(STRANGER))
    with pytest.raises(StateError, match="64 digits"):
        trust(places.updater, "abc")


def test_a_pc_that_trusts_nobody_starts_no_child(tmp_path: Path) -> None:
    renewal = Renewal(tmp_path, tmp_path / "updater")
    renewal.look(0.0)
    renewal.look(1e6)

    assert renewal._child is None


def test_the_scheduled_task_of_windows_runs_as_the_system_and_names_the_program() -> None:
    text = task_xml(Path("C:/Program Files/kiemke & agent/python.exe"), Path("C:/ProgramData/k"))

    assert "<UserId>S-1-5-18</UserId>" in text
    assert "kiemke &amp; agent" in text
    assert '-m kiemke.agent.main update apply --state "C:' in text


def test_the_tasks_definition_never_lies_where_others_can_change_it(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; f = pathlib.Path(sys.argv[sys.argv.index('/XML') + 1]);"
        "pathlib.Path(r'{}').write_text(str(f.parent) + f.read_text('utf-16'))"
    ).format(tmp_path / "seen")

    register(Path("C:/p.exe"), Path("C:/s"), tmp_path / "updater", (sys.executable, "-c", program))

    assert (tmp_path / "seen").read_text().startswith(f"{tmp_path / 'updater'}<?xml")
    assert list((tmp_path / "updater").iterdir()) == []
