"""The commands of kiemke-server besides run: what they make, print and refuse."""

import io
import sqlite3
from pathlib import Path

import pytest

from kiemke.server.main import main
from tests.support.api import PASSWORD


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIEMKE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n{PASSWORD}\nshort\n"))
    return tmp_path / "data"


def test_the_first_admin_is_made_and_gets_a_scrape_token(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "add", "lan", "--role", "admin"]) == 0
    assert main(["user", "add", "lan", "--role", "it"]) == 1  # the name is in use
    assert main(["user", "password", "lan"]) == 1  # too short
    assert main(["token", "add", "--user", "lan", "--kind", "scrape"]) == 0
    assert main(["token", "add", "--user", "nobody", "--kind", "api"]) == 1
    assert main(["user", "list"]) == 0

    said = capsys.readouterr()
    assert "lan: admin" in said.out
    assert "kmk_" in said.out
    assert "nobody" in said.err
    assert PASSWORD not in said.out + said.err
    assert "short" not in said.out + said.err


def test_a_check_of_a_new_place_and_the_root_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = main(["check"])
    migrated = main(["migrate", "--demo"])
    after = main(["check"])
    root = main(["ca"])

    assert (before, migrated, after, root) == (1, 0, 0, 0)
    said = capsys.readouterr().out
    assert "run kiemke-server migrate" in said
    assert "applied: 0001_initial … 0" in said
    assert "SHA-256" in said
    with sqlite3.connect(folder / "kiemke.sqlite") as connection:
        rows = connection.execute("SELECT demo FROM installation").fetchall()
    connection.close()
    assert rows == [(1,)]


def test_an_office_reads_the_commands_answers_in_vietnamese(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "vi")

    codes = [
        main(words) for words in (["migrate"], ["check"], ["audit", "anchor"], ["ca", "switch"])
    ]

    said = capsys.readouterr()
    assert codes == [0, 0, 1, 1]
    assert "đã áp dụng: 0001_initial … 0" in said.out
    assert "cơ sở dữ liệu  tốt" in said.out
    assert "chưa niêm mục nào" in said.err
    assert "chưa có chứng thư gốc kế tiếp; tạo trước: kiemke-server ca next" in said.err


def test_a_real_installation_is_never_marked_as_sample_data_later(folder: Path) -> None:
    assert main(["migrate"]) == 0
    assert main(["migrate", "--demo"]) == 1


def test_what_cannot_be_is_told_in_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIEMKE_DATABASE_URL", "postgres://nobody:x@127.0.0.1:1/none")
    unreachable = main(["user", "list"])
    monkeypatch.setenv("KIEMKE_LISTN_PORT", "1")
    unknown = main(["check"])

    said = capsys.readouterr().err
    assert (unreachable, unknown) == (1, 1)
    assert "database_url" in said
    assert "KIEMKE_LISTEN_PORT" in said
    assert "Traceback" not in said


def test_a_rebuild_of_the_search_tells_whether_words_were_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate"]) == 0
    with sqlite3.connect(folder / "kiemke.sqlite") as connection:
        connection.execute(
            "INSERT INTO search_word (kind, word, subject_id, unit_id) VALUES ('unit', 'ghost', 9, 9)"
        )
    connection.close()

    assert (main(["search", "rebuild"]), main(["search", "rebuild"])) == (0, 0)

    said = capsys.readouterr().out.splitlines()[-2:]
    assert said == ["0 things, 0 words; mended", "0 things, 0 words; as before"]
