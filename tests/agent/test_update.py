"""The one-shot that installs releases: everything it refuses, and what it takes back."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiemke.agent.files import StateError
from kiemke.agent.service.task import register, task_xml
from kiemke.agent.update import installers
from kiemke.agent.update.apply import Outcome
from kiemke.agent.update.decide import Facts, refusal
from kiemke.agent.update.installers import InstallError, Msi
from kiemke.agent.update.places import (
    MOST_TRIES,
    Doubt,
    Journal,
    Pending,
    Places,
    read_journal,
    save_journal,
    trust,
    trusted_keys,
)
from kiemke.agent.update.renewal import Renewal
from kiemke.wire.update import Signed, bucket_of
from tests.support.releases import public_of, sign
from tests.support.updating import (
    FACTS,
    KEY,
    NOW,
    PACKAGE,
    STRANGER,
    FakeInstaller,
    Time,
    leave,
    report,
    run,
    told,
    updater,
    waiting,
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return waiting(tmp_path)


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

    # The one before it reports a minute after it is back: the line was not at fault.
    time = Time({660.0: lambda: report(places, "0.1.0", at="back")})
    installer = FakeInstaller(on_install=speak)
    report(places, "0.2.0")  # what a file from before says is no report

    outcome = run(places, installer, time)

    assert (outcome.what, outcome.version) == ("rolled_back", "0.2.0")
    assert 660.0 <= time.seconds <= 665.0
    assert installer.done == ["keep", "install", "back to previous.deb"]
    assert replace(read_journal(places.updater), handled=None) == Journal(
        failed=("0.2.0",), last_signed_at=NOW.isoformat()
    )
    assert told(places)["reason"] == "it did not report within ten minutes"
    leave(places, sign(KEY, PACKAGE, signed_at=NOW))
    assert run(places, FakeInstaller()).reason == "failed_before"


def test_a_release_that_was_silent_while_the_line_was_down_is_tried_again_once_it_is_back(
    places: Places,
) -> None:
    """Neither the new one nor the one before it reaches the server: that says nothing of the new one."""
    report(places, "0.1.0", at="before")
    down = FakeInstaller(on_go_back=lambda: report(places, "0.1.0", "retry", at="back"))
    time = Time()

    taken_back = run(places, down, time)

    assert taken_back.what == "rolled_back" and "tried again" in taken_back.reason
    assert 1200.0 <= time.seconds <= 1210.0
    assert down.done == ["keep", "install", "back to previous.deb"]
    assert told(places)["reason"] == taken_back.reason
    # An hour later the line is down still: nothing is changed, nothing told, nothing decided.
    waits, still = FakeInstaller(), told(places)
    assert run(places, waits) == Outcome("refused", "0.2.0", "line_down")
    assert not updater(places).is_due()
    assert waits.done == [] and told(places) == still
    # It is back: the one before has reported, and the release has its turn.
    report(places, "0.1.0", at="later")
    assert updater(places).is_due()
    up = FakeInstaller(on_install=lambda: report(places, "0.2.0", at="later still"))
    assert run(places, up) == Outcome("installed", "0.2.0")
    journal = read_journal(places.updater)
    assert (journal.floor, journal.failed, journal.doubt) == ("0.2.0", (), None)


def test_a_release_that_silences_the_one_before_it_too_is_tried_three_times_at_most(
    places: Places,
) -> None:
    reasons = []
    for turn in range(MOST_TRIES):
        report(places, "0.1.0", at=f"turn {turn}")
        back = FakeInstaller(on_go_back=lambda: report(places, "0.1.0", "retry", at="mute"))
        reasons.append(run(places, back).reason)

    assert ["tried again" in reason for reason in reasons] == [True, True, False]
    assert read_journal(places.updater).failed == ("0.2.0",)
    report(places, "0.1.0", at="well again")
    leave(places, sign(KEY, PACKAGE, signed_at=NOW))
    assert run(places, FakeInstaller()).reason == "failed_before"


def test_a_power_cut_while_the_former_one_is_watched_is_gone_on_from(places: Places) -> None:
    report(places, "0.1.0", "retry", at="back")
    said = updater(places)._said()
    doubt = Doubt("0.2.0", "0.1.0", said, tries=1, is_watched=True)
    save_journal(places.updater, Journal(doubt=doubt))
    assert read_journal(places.updater) == Journal(doubt=doubt)
    assert updater(places).is_due()
    time = Time({30.0: lambda: report(places, "0.1.0", at="reached")})

    assert run(places, FakeInstaller(), time).what == "rolled_back"
    assert read_journal(places.updater).failed == ("0.2.0",)


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


def test_the_latest_signature_believed_stays_the_latest(places: Places) -> None:
    """A newer version that was signed earlier does not turn the clock back."""
    later = (NOW + timedelta(days=9)).isoformat()
    save_journal(places.updater, Journal(last_signed_at=later))

    run(places, FakeInstaller(on_install=lambda: report(places, "0.2.0")))

    assert read_journal(places.updater).last_signed_at == later


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
