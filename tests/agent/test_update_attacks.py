"""What installs releases has all rights; the agent beside it has none, and may be anybody's."""

import os
from pathlib import Path

import pytest

from kiemke.agent.files import StateError
from kiemke.agent.state import AgentIdentity, StateFolder
from kiemke.agent.update.apply import Outcome
from kiemke.agent.update.places import (
    LOCK_FILE,
    Journal,
    Pending,
    Places,
    save_journal,
    trusted_keys,
)
from kiemke.wire.outbox_store import FileLock
from tests.support.updating import (
    PACKAGE,
    FakeInstaller,
    report,
    run,
    waiting,
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return waiting(tmp_path)


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


def test_one_run_at_a_time(places: Places) -> None:
    lock, installer = FileLock(places.updater / LOCK_FILE), FakeInstaller()

    assert run(places, installer) == Outcome("nothing", reason="another run is at work")
    assert installer.done == []
    lock.release()


def test_keys_that_others_could_have_written_are_not_believed(places: Places) -> None:
    (places.updater / "keys").chmod(0o664)

    with pytest.raises(StateError, match="chown root"):
        trusted_keys(places.updater)


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
