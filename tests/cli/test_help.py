"""The help: of every command, in both languages, with an example, and quickly there."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from kiemke.cli.command import Group, _Bilingual
from kiemke.cli.commands import COMMANDS
from kiemke.cli.root import ROOT
from tests.cli.conftest import Run


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command of the tree."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, (*path, name))


PATHS = list(walk(ROOT, ()))
NOUNS = {entry.name: entry for entry in COMMANDS}


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_help_ends_with_an_example_that_parses(path: tuple[str, ...], run: Run) -> None:
    """An example that does not parse teaches a mistake."""
    shown = run(*path, "--help", "--lang", "en")

    assert shown.code == 0
    examples = shown.out.partition("Examples:\n")[2].splitlines()
    assert examples
    for line in examples:
        assert line.startswith("  kiemke ")
        _parse(line.split("<")[0].replace("'", "").split()[1:])


def _parse(words: list[str]) -> None:
    """Walk the groups by the example's words; Click refuses a word that is no command."""
    command: click.Command = ROOT
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, words = words[0], words[1:]
        found = command.get_command(click.Context(command), name)
        assert found is not None, name
        command = found
    if words and isinstance(command, Group) and command.otherwise:
        command = command.commands[command.otherwise[0]]
    options = {flag for param in command.params for flag in (*param.opts, *param.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_help_is_vietnamese_throughout(path: tuple[str, ...], run: Run) -> None:
    spoken, english = run(*path, "--help"), run(*path, "--help", "--lang=en")

    assert spoken.out.startswith("Cách dùng: kiemke")
    assert english.out.startswith("Usage: kiemke")
    head = english.out.partition("Options:")[0].splitlines()
    assert not {line for line in head if line.strip()} & set(spoken.out.splitlines())
    assert "Options" not in spoken.out
    assert "Show this" not in spoken.out


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_no_help_is_wider_than_80_columns(path: tuple[str, ...], run: Run) -> None:
    for language in ("vi", "en"):
        lines = run(*path, "--help", "--lang", language).out.splitlines()

        assert [line for line in lines if len(line) > 80] == []


def test_the_table_says_what_the_commands_say() -> None:
    """The root's help is written from the table so that nothing need be loaded."""
    for entry in COMMANDS:
        command = ROOT.get_command(click.Context(ROOT), entry.name)

        assert isinstance(command, _Bilingual)
        assert command.name == entry.name


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("don-vi", "unit"),
        ("can-bo", "official"),
        ("tai-san", "asset"),
        ("may", "machine"),
        ("thiet-bi", "device"),
        ("duong-truyen", "link"),
        ("nguon", "source"),
        ("ty-le", "coverage"),
        ("nhap", "import"),
        ("xuat", "export"),
        ("mau", "template"),
        ("kham", "doctor"),
        ("dang-nhap", "login"),
    ],
)
def test_a_vietnamese_alias_is_the_same_command(alias: str, name: str) -> None:
    context = click.Context(ROOT)

    assert ROOT.get_command(context, alias) is ROOT.get_command(context, name)


def test_help_loads_neither_the_network_nor_the_tables() -> None:
    """They take most of the time to the first line on a slow PC."""
    code = (
        "import sys; from kiemke.cli.main import main; main(['--help']); "
        "sys.exit(','.join({'httpx', 'rich', 'ssl'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert ran.stderr.strip() == ""
    assert "kiemke coverage" in ran.stdout


def test_the_version_is_the_distributions(run: Run) -> None:
    from importlib.metadata import version

    assert run("--version").out == f"kiemke {version('kiemke')}\n"


def test_the_language_follows_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KIEMKE_LANG")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)

    for value, first in (("en_US.UTF-8", "Usage"), ("vi_VN.UTF-8", "Cách"), ("C.UTF-8", "Cách")):
        monkeypatch.setenv("LANG", value)
        assert run("--help").out.startswith(first)


def test_a_wrong_command_is_a_usage_error_that_names_the_help(run: Run) -> None:
    ran = run("unit", "lst")

    assert ran.code == 2
    assert ran.out == ""
    assert "Lỗi: Không có lệnh 'lst'." in ran.err
    assert "Cách xử lý: kiemke unit --help" in ran.err


def test_without_its_libraries_the_script_says_what_installs_them() -> None:
    """A plain install is the agent's; the sentence is better than a traceback."""
    code = (
        "import sys; sys.modules['click'] = None\n"
        "from kiemke.cli.main import main; sys.exit(main(['--help']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert (ran.returncode, ran.stderr) == (1, "kiemke: pip install 'kiemke[cli]'\n")
