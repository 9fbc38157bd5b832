"""What is answered at an installation: asked from a roster, kept, told, and taken back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiemke.agent.claim import read_claim
from kiemke.agent.commands import claim as command
from kiemke.agent.commands import kit
from kiemke.agent.files import StateError
from kiemke.agent.host import Host
from kiemke.agent.sensors import Sensor
from kiemke.agent.sensors.reading import read_one
from kiemke.agent.state import StateFolder
from kiemke.wire.claim import ClaimedHolder

SENSOR = Sensor("claimed_holder", ("claimed_holder",))
PEOPLE = (
    kit.Person("CB1", "Nguyễn Văn An", "Chủ tịch"),
    kit.Person("CB2", "Trần Thị Bình", ""),
    kit.Person("CB3", "Trần Đức Cường", "Công chức"),
)


def answers(*lines: str) -> Callable[[str], str]:
    left = iter(lines)
    return lambda question: next(left)


@pytest.mark.parametrize(
    ("typed", "code", "name"),
    [
        (("2",), "CB2", None),
        (("duc cuong",), "CB3", None),
        (("cb1",), "CB1", None),
        (("trần", "bình"), "CB2", None),
        (("Lê Mới", "c"), None, "Lê Mới"),
        (("Lê Mới", "", "an"), "CB1", None),
        (("9", "k", ""), None, None),
        (("",), None, None),
    ],
)
def test_who_uses_the_pc_is_found_by_number_or_part_of_a_name(
    typed: tuple[str, ...], code: str | None, name: str | None
) -> None:
    person, said = kit.ask_holder(PEOPLE, answers(*typed))

    assert (person.code if person else None, said) == (code, name)


def read(folder: Path, off: frozenset[str] = frozenset()) -> tuple[str, tuple[Any, ...] | None]:
    found = read_one(Host(folder=folder, off=off), SENSOR)["claimed_holder"]
    return found.status, found.rows


def test_the_answer_is_told_until_it_is_taken_back_or_switched_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(tmp_path) == ("absent", None)
    command.run(tmp_path, "Nguyễn  Văn An", "CB1", "TS-1\t", forget=False)
    said = capsys.readouterr().out
    (row,) = read(tmp_path)[1] or ()

    assert said.startswith("Nguyễn Văn An (CB1) sticker TS-1, said on 20")
    assert (row.holder, row.code, row.tag) == ("Nguyễn Văn An", "CB1", "TS-1")
    assert read(tmp_path, frozenset({"claimed_holder"})) == ("ok", ())
    command.run(tmp_path, "", "", "", forget=True)
    assert read(tmp_path) == ("ok", ()), "an empty answer takes away what the server had"
    assert read_claim(tmp_path) == ClaimedHolder()


def test_a_damaged_answer_is_told_and_stops_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "claim.json").write_text("{")

    assert read(tmp_path)[0] == "failed"


def make_kit(folder: Path, uses: int | None) -> kit.Roster:
    folder.mkdir()
    people = [{"code": one.code, "name": one.name, "post": one.post or None} for one in PEOPLE]
    told = {"unit": "Xã Minh Khai", "uses": uses, "people": people}
    (folder / kit.ROSTER_FILE).write_text(json.dumps(told), "utf-8")
    (folder / kit.ENROLMENT_FILE).write_text("token", "utf-8")
    return kit.read_roster(folder)


@pytest.mark.parametrize(
    ("tongue", "yes", "told", "noted"),
    [
        ("vi", "c", ("Máy này ai dùng? (số", "Không có “Lê Mới” trong danh sách"), "DA-CAI.txt"),
        ("en", "yes", ("Who uses this PC? (the number", "“Lê Mới” is not on the list"), "INSTALLED.txt"),
    ],
)  # fmt: skip
def test_the_stick_asks_in_the_language_it_was_made_in(
    tmp_path: Path,
    tongue: str,
    yes: str,
    told: tuple[str, str],
    noted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its script says which one, whatever the PC's Windows speaks."""
    monkeypatch.setenv("KIEMKE_LANG", tongue)
    asked: list[str] = []
    left = iter(("Lê Mới", yes))

    def ask(question: str) -> str:
        asked.append(question.strip())
        return next(left)

    roster = make_kit(tmp_path / "kit", uses=2)
    assert kit.ask_holder(PEOPLE, ask) == (None, "Lê Mới")
    kit.note_done(tmp_path / "kit", roster)

    assert [question.startswith(words) for question, words in zip(asked, told, strict=True)] == [
        True,
        True,
    ]
    assert (tmp_path / "kit" / noted).exists()


def test_the_enrolment_file_goes_when_the_stick_is_used_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = make_kit(tmp_path / "kit", uses=2)
    token = tmp_path / "kit" / kit.ENROLMENT_FILE

    assert roster.people == PEOPLE
    for host, left in (("PC-1", True), ("PC-1", True), ("PC-2", False)):
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        kit.note_done(tmp_path / "kit", roster)
        assert token.exists() is left, "the same PC again takes no use"


def test_a_stick_without_its_roster_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"danh-sach\.json: .* make the kit again"):
        kit.read_roster(tmp_path)


def test_a_pc_has_arrived_once_the_service_has_posted_after_it_was_asked(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    now = datetime.now(UTC)
    folder.save_status({"sent_at": (now - timedelta(minutes=5)).isoformat(), "detail": "no route"})

    assert kit.wait_for_arrival(folder, now, 0.0) == "no route", "what it sent before is no proof"
    folder.save_status({"sent_at": now.isoformat(timespec="seconds")})
    assert kit.wait_for_arrival(folder, now, 0.0) is None
