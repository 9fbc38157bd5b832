"""Hostile names in a real terminal: every byte that reaches it is ours."""

import re
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.support.rest_server import RestServer
from tests.support.terminal import spawn

NAMES = (
    "[/red]",
    "[bold red]x[/bold red] :skull:",
    "=cmd|' /C calc'!A0",
    "<img src=x onerror=alert(1)>",
    "\x1b[2J\x1b[1;31mHACKED\x1b]0;title\x07\x1bP1$r\x1b\\",
    "\x9b31m\x90q\x9c",
    "\u202egnp.exe\u2066x",
    "line\nbreak\r\toverwrite\x08\x08",
    "\u200bzero\u2028width\ufeff",
)
OURS = re.compile(r"\x1b\[[0-9;]*m")  # colours, and nothing else, are what we send ourselves


def _record(name: str) -> dict[str, object]:
    unit = {"code": name, "name": name}
    return {
        **{key: name for key in ("id", "code", "name", "tag", "model", "serial", "hostname", "post",
                                 "state", "kind", "status", "subject", "detail", "why", "next",
                                 "opened_at", "last_received_at", "os", "cpu")},
        "unit": unit, "official": unit, "officials": [unit], "asset": unit, "reasons": [name],
        "sections": {name: {"status": name, "detail": name, "rows": [{name: name}, {name: name}]}},
        "sources": [{"id": name, "kind": name, "state": name}],
    }  # fmt: skip


@pytest.fixture
def hostile(signed_in: RestServer) -> RestServer:
    """A server whose every text is an attack."""
    rows = [_record(name) for name in NAMES]
    for noun in ("units", "officials", "assets", "machines", "devices", "links", "sources"):
        signed_in.items(f"/{noun}", *rows)
        for number, row in enumerate(rows):
            signed_in.on("GET", f"/{noun}/{number}", row)
    signed_in.items("/findings", *rows)
    signed_in.items("/coverage/who", *rows)
    signed_in.refuse("GET", "/users", 500, NAMES[4], NAMES[6])
    return signed_in


LINES = [
    *([noun, "list"] for noun in ("unit", "official", "asset", "machine", "device", "link")),
    ["source", "list", "--wide"],
    ["finding", "list", "--json"],
    ["coverage", "who", "--csv"],
    ["asset", "show", "4"],
    ["link", "show", "6"],
    ["machine", "show", "4"],
    ["machine", "show", "7", "--section", NAMES[7]],
    ["user", "list"],
]


@pytest.mark.parametrize("argv", LINES, ids=lambda argv: " ".join(argv[:3]))
def test_nothing_in_the_data_reaches_the_terminal_alive(
    argv: list[str], hostile: RestServer, config_dir: Path
) -> None:
    with spawn(argv, config_dir) as terminal:
        terminal.end()

    text = OURS.sub("", terminal.text).replace("\r\n", "\n").removeprefix("\ufeff")
    text = text.replace("\r\r\n", "\n").replace("\r", "") if "--csv" in argv else text
    alive = {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Cs")}
    assert alive == set()
    assert "\\x" in text or "\\u" in text  # what was taken from the data is shown, not dropped
    assert "💀" not in text


def test_a_name_cannot_widen_a_table_beyond_the_terminal(
    hostile: RestServer, config_dir: Path
) -> None:
    hostile.items("/units", *({"code": "A", "name": name * 40} for name in NAMES))

    with spawn(["unit", "list"], config_dir, columns=80) as terminal:
        assert terminal.end() == 0

    lines = OURS.sub("", terminal.text).split("\r\n")
    assert [line for line in lines if cell_len(line) > 80] == []
    assert len(lines) == 1 + 1 + len(NAMES) + 1


def test_a_name_is_never_markup(hostile: RestServer, config_dir: Path) -> None:
    with spawn(["unit", "list", "--wide"], config_dir) as terminal:
        terminal.end()

    assert "[/red]" in terminal.text
    assert "[bold red]x[/bold red] :skull:" in terminal.text
