"""kiemke import: a rehearsal first, what was understood, questions and their answers, errors."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.rest_server import Answer, RestServer
from tests.support.terminal import spawn

CLEAN = {"template": "assets", "rows": 3, "new": 2, "changed": 1, "same": 0, "errors": [],
         "applied": False}  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A filled table."""
    path = tmp_path / "tai-san.csv"
    path.write_bytes("mã,tên\n1,Máy\n".encode())
    return path


def test_an_import_is_a_rehearsal_until_asked(signed_in: RestServer, run: Run, table: Path) -> None:
    signed_in.on("POST", "/imports", CLEAN)

    ran = run("nhap", "assets", str(table))

    assert ran.code == 0
    assert "3 dòng: 2 mới, 1 thay đổi, 0 giữ nguyên" in ran.out
    assert "Chưa ghi gì" in ran.out
    asked = signed_in.asked[0]
    assert asked.query == {"template": "assets", "apply": "false", "filename": "tai-san.csv"}
    assert asked.body == table.read_bytes()


def test_the_command_that_writes_repeats_what_was_chosen(
    signed_in: RestServer, run: Run, table: Path
) -> None:
    """Typed again without them, the rehearsed file would ask anew or be read otherwise."""
    signed_in.on("POST", "/imports", CLEAN)
    chosen = (
        "--map",
        "Tên TSCĐ=name",
        "--set",
        "unit=TG-NV",
        "--repair",
        "tcvn3",
        "--split",
        "--yes-map",
    )

    ran = run("import", "assets", str(table), *chosen)

    assert ran.out.splitlines()[-1].endswith(
        f'{table} --map "Tên TSCĐ=name" --set unit=TG-NV --repair tcvn3 --split --yes-map --apply'
    )


def test_apply_is_said_to_the_server(signed_in: RestServer, run: Run, table: Path) -> None:
    signed_in.on("POST", "/imports", CLEAN | {"applied": True})

    ran = run("import", "assets", str(table), "--apply")

    assert ran.out.splitlines()[-1] == "Đã ghi."
    assert signed_in.asked[0].query["apply"] == "true"


def test_each_error_is_told_once_in_whole_with_its_rows_and_remedy(
    signed_in: RestServer, run: Run, table: Path
) -> None:
    long = "không có đơn vị mang mã Văn phòng Hội đồng nhân dân và Ủy ban nhân dân huyện"
    error = {"row": 2, "column": "Đơn vị", "value": "Văn phòng", "message": long,
             "remedy": "sửa mã, hoặc nhập “units” trước"}  # fmt: skip
    file = {
        "row": 0,
        "column": None,
        "value": None,
        "message": "không phải bảng",
        "remedy": "lưu lại",
    }
    errors = [error, error | {"row": 5}, error | {"row": 7, "value": "VP"}, file]
    signed_in.on("POST", "/imports", CLEAN | {"errors": errors})

    ran = run("import", "assets", str(table), "--apply")

    assert ran.code == 1
    assert ran.out.splitlines()[-8:] == [
        f"✗ dòng 2, 5 · Đơn vị “Văn phòng”: {long}",
        "    → sửa mã, hoặc nhập “units” trước",
        f"✗ dòng 7 · Đơn vị “VP”: {long}",
        "    → sửa mã, hoặc nhập “units” trước",
        "✗ không phải bảng",
        "    → lưu lại",
        "",
        "Chưa ghi gì: 4 lỗi",
    ]


GUESSED: dict[str, Any] = {
    "mapping": [
        {"heading": "Tên TSCĐ", "column": "name", "title": "Tên tài sản", "how": "dictionary",
         "confidence": 90, "samples": ["Máy Dell"]},
        {"heading": "ĐVT", "column": None, "title": None, "how": "none", "confidence": 0, "samples": []},
    ],
    "repairs": [
        {"heading": "Tên TSCĐ", "encoding": "tcvn3", "cells": 2,
         "samples": [{"row": 7, "before": "M¸y Dell", "after": "Máy Dell"}]},
    ],
    "dropped": ["Số CCCD"],
    "questions": [
        {"about": "map", "message": "1 cột được đoán", "answers": ["map"]},
        {"about": "repair", "message": "chữ bị mất bảng mã", "answers": ["tcvn3", "none"]},
    ],
    "changes": [
        {"row": 8, "sheet": None, "code": "TS2", "name": "Máy in",
         "fields": [{"column": "Nơi sử dụng", "before": "P1", "after": "P2"}]},
    ],
}  # fmt: skip


def test_a_foreign_sheet_is_shown_as_understood_and_not_written_unasked(
    signed_in: RestServer, run: Run, table: Path
) -> None:
    signed_in.on("POST", "/imports", CLEAN | GUESSED)

    ran = run("import", "assets", str(table), "--apply", "--wide")

    assert ran.code == 1
    for words in ("Tên TSCĐ", "Máy Dell", "M¸y Dell", "Số CCCD", "P1", "P2", "--repair tcvn3", "--yes-map",
                  "Chưa ghi gì: còn câu hỏi chưa trả lời"):  # fmt: skip
        assert words in ran.out
    assert len(signed_in.asked) == 1


def test_a_person_answers_each_question_at_the_terminal(
    signed_in: RestServer, config_dir: Path, table: Path
) -> None:
    days = {"about": "days", "message": "ngày hay tháng trước", "answers": ["dmy", "mdy"]}
    asked = CLEAN | GUESSED | {"questions": [*GUESSED["questions"], days]}
    answers = iter([asked, CLEAN | {"applied": True}, asked])
    signed_in.answers["POST", "/api/v1/imports"] = lambda request: Answer(next(answers))
    command = ["import", "assets", str(table), "--apply"]

    with spawn(command, config_dir, columns=100) as terminal:
        terminal.wait_for("[y/N]")
        terminal.type("y\n")
        terminal.wait_for("[y/N]: y\r\n")
        terminal.type("y\n")
        terminal.wait_for("(dmy, mdy, swapped)")
        terminal.type("sau\nmdy\n")  # what is no answer is asked again
        code = terminal.end()
    with spawn(command, config_dir, columns=100) as refusing:
        refusing.wait_for("[y/N]")
        refusing.type("\n")
        left = refusing.end()

    assert code == 0 and "Đã ghi." in terminal.text
    first, second, _ = signed_in.asked
    assert "accept" not in first.query
    assert (second.query["accept"], second.query["days"]) == ("repair", "mdy")
    assert second.body == table.read_bytes()
    assert left == 1 and "Chưa ghi gì" in refusing.text


def test_answers_given_beforehand_are_said_to_the_server(
    signed_in: RestServer, run: Run, table: Path
) -> None:
    signed_in.on("POST", "/imports", CLEAN | GUESSED | {"questions": [], "applied": True})

    ran = run(
        "import", "assets", str(table), "--apply", "--map", "Tên TSCĐ=name", "--set", "unit=TG-NV",
        "--repair", "tcvn3", "--days", "mdy", "--split", "--sheet", "S26", "--heading-row", "5",
        "--yes-map",
    )  # fmt: skip

    assert ran.code == 0 and ran.out.splitlines()[-1] == "Đã ghi."
    assert signed_in.asked[0].query == {
        "template": "assets", "apply": "true", "filename": "tai-san.csv", "map": "Tên TSCĐ=name",
        "set": "unit=TG-NV", "accept": "map", "repair": "tcvn3", "days": "mdy", "split": "true",
        "sheet": "S26", "heading_row": "5",
    }  # fmt: skip


def test_a_file_too_large_empty_or_absent_is_not_sent(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    large, empty = tmp_path / "large.xlsx", tmp_path / "empty.xlsx"
    with large.open("wb") as file:
        file.truncate(20_000_001)
    empty.touch()

    for path in (large, empty, tmp_path / "absent.xlsx", tmp_path):
        ran = run("import", "assets", str(path))
        assert ran.code == 1
        assert f"Ở đâu: {path}" in ran.err
    assert signed_in.asked == []
