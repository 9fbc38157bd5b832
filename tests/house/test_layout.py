"""The walls of the house: one shared name, short files, one door for each library."""

import ast
import re
from pathlib import Path, PurePath

import pytest

from tests.support.tree import ROOT, UNITS, imported_names, parse, python_files

LONGEST_FILE_LINES = 400
LONGEST_FUNCTION_LINES = 60

# Library -> the places that may import it; everything else asks those.
AGENT, SERVER = "agent/kiemke/agent", "server/kiemke/server"
COLLECTORS, CLI = "collectors/kiemke/collectors", "cli/kiemke/cli"
DATABASE = (
    f"{SERVER}/models/*",
    f"{SERVER}/migrations/*",
    f"{SERVER}/db*.py",
    f"{SERVER}/migrate*.py",
    f"{SERVER}/sqlite_*.py",
    f"{SERVER}/postgres_*.py",
)
DOORS: dict[str, tuple[str, ...]] = {
    "psutil": (f"{AGENT}/sensors/*",),
    "pysnmp": (f"{COLLECTORS}/snmp/*",),
    "gufo": (f"{COLLECTORS}/snmp/*",),
    "netmiko": (f"{COLLECTORS}/ssh/*",),
    "paramiko": (f"{COLLECTORS}/ssh/*",),
    "ntc_templates": (f"{COLLECTORS}/ssh/*",),
    "icmplib": (f"{COLLECTORS}/reachability/*",),
    "tortoise": DATABASE,
    "asyncpg": DATABASE,
    "aiosqlite": DATABASE,
    "xlsxwriter": (f"{SERVER}/exports/*", f"{SERVER}/imports/*"),
    "python_calamine": (f"{SERVER}/imports/*",),
    "prometheus_client": (f"{SERVER}/metrics/*",),
    "click": (f"{CLI}/*", f"{CLI}/*/*"),
    "rich": (f"{CLI}/*", f"{CLI}/*/*"),
    "httpx": (f"{CLI}/*", f"{CLI}/*/*"),
    "segno": (f"{CLI}/commands/totp.py",),
    "argon2": (f"{SERVER}/auth_users.py",),
}


def _source_files() -> list[Path]:
    return [path for path in python_files() if path.parts[0] in UNITS]


@pytest.mark.parametrize("unit", UNITS)
def test_the_shared_name_has_no_init(unit: str) -> None:
    """An __init__.py here would hide the other three units."""
    assert not (ROOT / unit / "kiemke" / "__init__.py").exists()


def test_every_package_below_the_shared_name_has_an_init() -> None:
    """Without one, a tool may leave the folder out of the wheel."""
    folders = {path.parent for path in _source_files() if len(path.parts) > 3}

    assert sorted(str(f) for f in folders if not (ROOT / f / "__init__.py").exists()) == []


def test_no_file_is_so_long_that_it_holds_a_second_noun() -> None:
    long = {
        str(path): lines
        for path in python_files()
        if "migrations" not in path.parts
        and (lines := len((ROOT / path).read_text("utf-8").splitlines())) > LONGEST_FILE_LINES
    }

    assert long == {}


def test_no_function_is_too_long_to_be_seen_whole() -> None:
    long = {
        f"{path}:{node.lineno} {node.name}": lines
        for path in python_files()
        if "migrations" not in path.parts
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION_LINES
    }

    assert long == {}


def test_the_first_line_of_a_file_says_what_lives_there() -> None:
    mute = [str(path) for path in python_files() if not ast.get_docstring(parse(path))]

    assert mute == []


def test_each_library_has_one_door() -> None:
    """A library that is everywhere can be replaced nowhere."""
    trespassers = [
        f"{path} imports {name}"
        for path in _source_files()
        for name in sorted({name.partition(".")[0] for name in imported_names(parse(path))})
        if name in DOORS and not any(PurePath(path).match(door) for door in DOORS[name])
    ]

    assert trespassers == []


def test_packed_bytes_of_days_have_one_door() -> None:
    """Two readers of one binary format would drift apart."""
    packers = {
        path.name
        for path in _source_files()
        if path.parts[0] == "server" and "struct" in imported_names(parse(path))
    }

    assert packers <= {"daypack.py"}


def test_only_settings_read_the_environment() -> None:
    """A setting read elsewhere is one the README's table cannot know."""
    readers = [
        f"{path}:{node.lineno}"
        for path in _source_files()
        if path.name != "settings.py"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "environb", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]

    assert readers == []


def test_every_table_is_a_ledger_or_says_why_not() -> None:
    """A new table: a line in server/kiemke/server/ledgers.py, so that the audit log covers it or says why."""
    from kiemke.server.ledgers import LEDGER_TABLES, NOT_LEDGERS

    found: set[str] = set()
    for path in (ROOT / "server/kiemke/server/models").glob("*.py"):
        found |= set(re.findall(r'^        table = "(\w+)"', path.read_text("utf-8"), re.MULTILINE))

    assert found - {*LEDGER_TABLES, *NOT_LEDGERS} == set()
    assert {*LEDGER_TABLES, *NOT_LEDGERS} - found == set()
