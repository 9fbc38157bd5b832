"""A foreign file read in a limited child process: sheets of plain cells, or why it is refused."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.headings import Cell

MOST_FILE_BYTES = 20 * 2**20
WALL_SECONDS = 30.0
_MOST_LINE_BYTES = 4 * 2**20
_MOST_OUTPUT_BYTES = 256 * 2**20
_CHILD = "kiemke.server.imports.child"


# What the child (or its end) says -> what the user reads.
PROBLEMS: dict[str, Words] = {
    "size": Words("tệp lớn hơn 20 MB", "the file is larger than 20 MB"),
    "inflates": Words("tệp nén bung ra quá lớn", "the file inflates to far too much"),
    "dimensions": Words("bảng tính rộng hoặc dài bất thường", "the sheet is absurdly large"),
    "entities": Words("tệp chứa khai báo XML không được phép", "the file declares XML entities"),
    "not_xlsx": Words(
        "không phải tệp XLSX, XLS hoặc ODS đọc được", "this is not a readable XLSX, XLS or ODS file"
    ),
    "password": Words("tệp có mật khẩu", "the file has a password"),
    "encoding": Words("tệp không phải văn bản đọc được", "the file is not readable text"),
    "not_table": Words("không phải bảng CSV hợp lệ", "this is not a valid CSV table"),
    "empty": Words("tệp không có dòng nào", "the file has no rows"),
    "memory": Words("đọc tệp cần quá nhiều bộ nhớ", "reading the file takes too much memory"),
    "time": Words("đọc tệp quá 30 giây", "reading the file takes more than 30 seconds"),
}
SAVE_AS = Words(
    "mở bằng Excel rồi lưu thành .xlsx hoặc “CSV UTF-8”, chỉ giữ các dòng cần nhập",
    "open it in Excel and save it as .xlsx or “CSV UTF-8” with only the rows to import",
)


class FileRefused(Exception):
    """The file cannot be read as a table; ``problem`` says why, ``remedy`` what to do."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{PROBLEMS[code].en} {detail}".strip())
        self.code = code
        self.detail = detail
        self.problem = PROBLEMS[code]
        self.remedy = SAVE_AS


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file; ``number`` counts from 1 as the user's program shows it."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. ``lines`` are its non-empty rows; ``dropped`` the headings of private columns.

    ``heading`` says on which rows (from 1) the headings stand, and ``labels`` what they say; None and
    nothing when no row looks like headings.
    """

    name: str
    lines: list[Line]
    heading: tuple[int, int] | None
    labels: tuple[str | None, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file: for which template, with which further heading keys, which heading row."""

    template: str = "units"
    known: tuple[str, ...] = ()
    heading_row: int | None = None

    def as_json(self) -> str:
        """Return the child's command line argument."""
        return json.dumps(
            {"template": self.template, "known": self.known, "heading_row": self.heading_row}
        )


def _cell(value: Any) -> Cell:
    return date.fromisoformat(value["day"]) if isinstance(value, dict) else value


async def read_sheets(
    data: bytes, how: Reading | None = None, *, wall_seconds: float = WALL_SECONDS
) -> list[Sheet]:
    """Return every sheet. Raises FileRefused; the child never outlives this call."""
    if len(data) > MOST_FILE_BYTES:
        raise FileRefused("size")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-X", "utf8", "-m", _CHILD, (how or Reading()).as_json(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=_MOST_LINE_BYTES,
        env={},
    )  # fmt: skip
    try:
        async with asyncio.timeout(wall_seconds):
            feeding = asyncio.create_task(_feed(child, data))
            try:
                return await _sheets(child)
            finally:
                feeding.cancel()
                with suppress(asyncio.CancelledError):
                    await feeding
    except TimeoutError as error:
        raise FileRefused("time") from error
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _feed(child: asyncio.subprocess.Process, data: bytes) -> None:
    if child.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # the child ended: _said tells why
        child.stdin.write(data)
        await child.stdin.drain()
        child.stdin.close()
        await child.stdin.wait_closed()


async def _sheets(child: asyncio.subprocess.Process) -> list[Sheet]:
    sheets: list[Sheet] = []
    number = 0
    async for said in _said(child):
        if isinstance(said, dict):
            rows = said["heading"]
            heading = None if rows is None else (rows[0] + 1, rows[1] + 1)
            labels, dropped = tuple(said["labels"]), tuple(said["dropped"])
            sheets.append(Sheet(said["sheet"], [], heading, labels, dropped))
            number = 0
            continue
        number += 1
        if any(value is not None for value in said):
            sheets[-1].lines.append(Line(number, tuple(_cell(value) for value in said)))
    return sheets


async def _said(child: asyncio.subprocess.Process) -> AsyncIterator[Any]:
    """Yield what the child says until its closing line. Raises FileRefused."""
    if child.stdout is None:
        return
    taken_bytes = 0
    while True:
        try:
            raw = await child.stdout.readline()
        except ValueError as error:  # a line longer than the limit
            raise FileRefused("memory") from error
        taken_bytes += len(raw)
        if not raw or taken_bytes > _MOST_OUTPUT_BYTES:
            # The child was ended by its own limits (abort, SIGXCPU) before the closing line.
            raise FileRefused("memory")
        said = json.loads(raw)
        if isinstance(said, dict) and "error" in said:
            raise FileRefused(said["error"], said["detail"])
        if isinstance(said, dict) and "end" in said:
            return
        yield said
