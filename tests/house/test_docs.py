"""What the documents say is what the house does: commands, settings, versions, links."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kiemke.server.settings import SETTINGS
from kiemke.wire import __version__
from tests.support.tree import ROOT, read_text, tracked_files

READMES = ("README.md", "README.vi.md")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", read("Makefile"), re.MULTILINE))


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands_of(block: str) -> list[str]:
    """Return the lines of a code block without comments; words after # are for the reader."""
    lines = (line.partition(" #")[0].strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def table_rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def expected_settings() -> list[list[str]]:
    return [[f"`{s.name}`", show_default(s.default), s.unit, s.sentence] for s in SETTINGS]


def show_default(default: object) -> str:
    """Return a setting's default as it is written in TOML; a dash where there is none."""
    if default is None:
        return "-"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple | list):
        return f"`{' '.join(map(str, default))}`"
    return f"`{default}`"


def test_the_newest_version_of_the_changelog_is_the_one_built() -> None:
    versions = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", read("CHANGELOG.md"), re.M
    )

    assert "## [Unreleased]" in read("CHANGELOG.md")
    assert versions[0] == __version__


@pytest.mark.parametrize("name", READMES)
def test_the_first_command_of_a_readme_is_the_demo(name: str) -> None:
    assert commands_of(code_blocks(read(name))[0])[0] == "make demo"


def test_both_languages_give_the_same_commands() -> None:
    """A reader of one language must not be sent another way."""
    english, vietnamese = (
        [command for block in code_blocks(read(name)) for command in commands_of(block)]
        for name in READMES
    )

    assert english == vietnamese


def program_lines() -> list[str]:
    """Return the README's lines that call a program of this distribution, without its folder."""
    lines = [command for block in code_blocks(read("README.md")) for command in commands_of(block)]
    bare = [re.sub(r"^/\S*/", "", line) for line in lines]
    return [line for line in bare if re.match(r"kiemke(-\w+)? ", line)]


@pytest.mark.parametrize("line", program_lines())
def test_every_command_of_the_readme_is_one_its_program_knows(line: str) -> None:
    """A command that was renamed would fail in the newcomer's hands first."""
    program, *words = shlex.split(line)
    asked = subprocess.run(
        [str(Path(sys.executable).parent / program), *words, "--help"],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert asked.returncode == 0, asked.stderr


def test_every_make_target_is_explained_and_every_explained_one_exists() -> None:
    explained = set(re.findall(r"`make ([a-z-]+)", read("CONTRIBUTING.md") + read("README.md")))
    with_help = set(re.findall(r"^([a-z-]+):.*## ", read("Makefile"), re.MULTILINE))

    assert with_help == make_targets()
    assert explained == make_targets()


def test_the_readme_lists_the_settings_the_server_reads() -> None:
    assert table_rows(read("README.md")) == expected_settings()


def test_the_vietnamese_readme_lists_the_same_settings_and_defaults() -> None:
    listed = [row[:2] for row in table_rows(read("README.vi.md"))]

    assert listed == [row[:2] for row in expected_settings()]


@pytest.mark.parametrize(
    "path", [path for path in tracked_files() if path.suffix == ".md"], ids=str
)
def test_every_link_within_the_documents_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)[^)]*\)", read_text(path) or "")

    assert [link for link in links if not (ROOT / path.parent / link).exists()] == []


def test_every_file_contributing_names_exists() -> None:
    """Its numbered steps are followed by hand; a renamed file would strand the reader."""
    text = read("CONTRIBUTING.md")
    names = re.findall(
        r"`((?:agent|server|collectors|cli|tests|tools|docs|bench|ansible|dashboards)/[\w./-]+)`",
        text,
    )

    # NAME and NOUN stand for the file the reader will write: its folder must be there.
    made = ("NAME", "NOUN")
    places = [Path(n).parent if Path(n).name.startswith(made) else Path(n) for n in names]
    assert names
    assert [str(place) for place in places if not (ROOT / place).exists()] == []
