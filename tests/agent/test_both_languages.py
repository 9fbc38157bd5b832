"""What a person at a PC is told, he is told in his language."""

from pathlib import Path

import pytest

from kiemke.agent.commands import claim, one_shot, update
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
