"""A script whose extra is missing says what to install; the server runs without PostgreSQL's driver."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = {
    "kiemke": ("kiemke.cli.main", ["unit", "list"], ["click", "rich", "httpx"]),
    "kiemke-server": ("kiemke.server.main", ["check"], ["litestar", "tortoise", "asyncpg"]),
    "kiemke-collector": (
        "kiemke.collectors.main",
        ["--once", "127.0.0.1"],
        ["pysnmp", "gufo", "icmplib"],
    ),
}
EXTRAS = {"kiemke": "cli", "kiemke-server": "server", "kiemke-collector": "collectors"}


def run_without(
    missing: list[str], module: str, words: list[str], folder: Path, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a program's main in an interpreter that cannot find the modules ``missing``."""
    code = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({missing!r}))\n"
        f"sys.exit(importlib.import_module({module!r}).main({words!r}))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=240,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "KIEMKE_DATA_DIR": str(folder), **env},
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_script_without_its_extra_says_what_installs_it(program: str, tmp_path: Path) -> None:
    """Every script is installed by `pip install kiemke`; a traceback would help nobody."""
    module, words, missing = PROGRAMS[program]

    ran = run_without(missing, module, words, tmp_path)

    assert ran.returncode in (1, 2)
    assert f"kiemke[{EXTRAS[program]}]" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_a_server_on_sqlite_needs_no_driver_of_postgresql(tmp_path: Path) -> None:
    """`kiemke[server]` does not bring asyncpg; the embedded default must run all the same."""
    made = run_without(["asyncpg"], "kiemke.server.main", ["migrate"], tmp_path)
    checked = run_without(["asyncpg"], "kiemke.server.main", ["check"], tmp_path)

    assert (made.returncode, made.stderr) == (0, "")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_postgresql_without_its_driver_is_refused_with_the_command(tmp_path: Path) -> None:
    url = "postgres://kiemke@127.0.0.1:9/kiemke"

    ran = run_without(
        ["asyncpg"], "kiemke.server.main", ["migrate"], tmp_path, KIEMKE_DATABASE_URL=url
    )

    assert ran.returncode == 1
    assert "kiemke[postgres]" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
