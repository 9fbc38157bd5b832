"""What a person at a PC is told, he is told in his language."""

from dataclasses import replace
from pathlib import Path

import pytest

from kiemke.agent.commands import claim, one_shot, privacy, update
from kiemke.agent.main import main
from kiemke.agent.update import apply, places
from kiemke.agent.words import RESTART, Both, speak


@pytest.mark.parametrize(
    ("tongue", "told"),
    [
        ("vi", ["chưa ai được ghi là dùng máy này", "đang cài: ", "ở đây chưa tin khóa nào: không tải gì, không cài gì"]),
        ("en", ["nobody is said to use this PC", "installed: ", "no key is trusted here: nothing is fetched, nothing installed"]),
    ],
)  # fmt: skip
def test_claim_and_update_speak_the_readers_language(
    tongue: str,
    told: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", tongue)

    claim.run(tmp_path, "", "", "", forget=False)
    update.run("show", tmp_path, "", tmp_path / "updater", Path("/"))

    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith(words) for line, words in zip(lines, told, strict=True)] == [True] * 3
    assert "kiemke-agent" in RESTART


def test_the_one_shot_says_how_its_file_is_taken_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "vi")
    (tmp_path / "root").mkdir()

    one_shot.run(tmp_path / "root", tmp_path / "may.kiemke.txt")

    assert "kiemke may nhap-may may.kiemke.txt --don-vi" in capsys.readouterr().out
    monkeypatch.setenv("KIEMKE_LANG", "en")
    assert speak(Both("a {n}", "b {n}"), n=1) == "b 1"


def test_the_switches_of_privacy_are_read_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "vi")
    privacy.run(tmp_path, ["wifi_name"], [])
    vietnamese = capsys.readouterr().out
    monkeypatch.setenv("KIEMKE_LANG", "en")
    privacy.run(tmp_path, [], [])
    english = capsys.readouterr().out

    assert "tắt  wifi_name       tên mạng Wi-Fi mà máy đang nối" in vietnamese
    assert "bật  seat" in vietnamese and "Dịch vụ theo ngay" in vietnamese
    assert "off  wifi_name       the name of the wireless network the PC is in" in english


def test_a_failure_is_told_in_the_readers_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log and the server keep the English; the person at the terminal reads his own."""
    (tmp_path / "identity.json").write_text("{", "utf-8")
    (tmp_path / "status.json").write_text("{}", "utf-8")
    told = {}
    for tongue in ("vi", "en"):
        monkeypatch.setenv("KIEMKE_LANG", tongue)
        codes = (
            main(["enroll", "--state", str(tmp_path), "abc"]),
            main(["status", "--state", str(tmp_path)]),
        )
        told[tongue] = capsys.readouterr().err

    assert codes == (1, 1)
    assert "mã này chưa đủ" in told["vi"] and "bị hỏng (" in told["vi"]
    assert "this is not a whole token" in told["en"] and "remove it and enrol again" in told["en"]


def test_what_came_of_a_release_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    detail = (
        '{"outcome": "refused", "version": "0.2.0", "from": "0.1.0", "reason": "its time is over"}'
    )
    (tmp_path / "outcome.json").write_text(f'{{"mark": "m", "detail": {detail}}}', "utf-8")
    (tmp_path / "update").mkdir()
    for name in ("offer.signed", "offer.package"):
        (tmp_path / "update" / name).write_text("x", "utf-8")
    handled = apply._mark(places.Places(tmp_path, tmp_path))
    places.save_journal(tmp_path, replace(places.Journal(), handled=handled))
    lines = []
    for tongue in ("vi", "en"):
        monkeypatch.setenv("KIEMKE_LANG", tongue)
        update.run("show", tmp_path, "", tmp_path, Path("/"))
        lines.append(capsys.readouterr().out.splitlines()[-1])  # it was decided on: nothing waits

    assert lines == [
        "lần gần nhất: không cài bản 0.2.0: đã quá hạn", "last: refused 0.2.0: its time is over",
    ]  # fmt: skip
