"""A foreign file read in a limited child process: rows of plain cells, or why it is refused."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.domain.text_labels import Words

MOST_FILE_BYTES = 20 * 2**20
WALL_SECONDS = 30.0
_MOST_LINE_BYTES = 4 * 2**20
_MOST_OUTPUT_BYTES = 256 * 2**20
_CHILD = "kiemke.server.imports.child"

Cell = str | float | bool | date | None

# What the child (or its end) says -> what the user reads.
PROBLEMS: dict[str, Words] = {
    "size": Words("tệp lớn hơn 20 MB", "the file is larger than 20 MB"),
    "inflates": Words("tệp nén bung ra quá lớn", "the file inflates to far too much"),
    "dimensions": Words("bảng tính rộng hoặc dài bất thường", "the sheet is absurdly large"),
    "entities": Words("tệp chứa khai báo XML không được phép", "the file declares XML entities"),
    "not_xlsx": Words("không phải tệp XLSX đọc được", "this is not a readable XLSX file"),
    "old_xls": Words("tệp .xls cũ hoặc có mật khẩu", "an old .xls file, or one with a password"),
    "encoding": Words("tệp CSV không phải UTF-8", "the CSV file is not UTF-8"),
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


def _cell(value: Any) -> Cell:
    return date.fromisoformat(value["day"]) if isinstance(value, dict) else value


async def read_lines(data: bytes, *, wall_seconds: float = WALL_SECONDS) -> list[Line]:
    """Return every non-empty row. Raises FileRefused; the child never outlives this call."""
    if len(data) > MOST_FILE_BYTES:
        raise FileRefused("size")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-X", "utf8", "-m", _CHILD,
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
                return [line async for line in _lines(child)]
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
    with suppress(BrokenPipeError, ConnectionResetError):  # the child ended: _lines tells why
        child.stdin.write(data)
        await child.stdin.drain()
        child.stdin.close()
        await child.stdin.wait_closed()


async def _lines(child: asyncio.subprocess.Process) -> AsyncIterator[Line]:
    if child.stdout is None:
        return
    number = taken_bytes = 0
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
        if isinstance(said, dict):
            if "error" in said:
                raise FileRefused(said["error"], said["detail"])
            return
        number += 1
        if any(value is not None for value in said):
            yield Line(number, tuple(_cell(value) for value in said))
