"""The repository speaks of itself alone: no workplace, no download host, nothing unfinished."""

import re

import pytest

from tests.support.tree import read_text, tracked_files

# Each is written in two parts so that this file does not hold what it looks for.
WORKPLACE = [
    "/wo" + "rk/",
    "/fa" + "rm/",
    "/ro" + "ot/",
    "DESI" + "GN.md",
    "DESI" + "GN §",
    "FEASI" + "BILITY",
    "DOMA" + "IN.md",
    "DOMA" + "IN §",
    "PEE" + "RS.md",
    "STY" + "LE.md",
    "sub" + "agent",
    "lang" + "uage model",
    "Clau" + "de",
    "clau" + "de",
    "Anth" + "ropic",
    "anth" + "ropic",
]
DOWNLOAD_HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "proxy." + "golang",
    "deb." + "debian.org",
    "/opt/" + "wheels",
    "/opt/" + "pypi",
]
ISSUE = re.compile(r"(?<!/)\bissue" + r"s? #?\d+\b", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")


def _find(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:90]}"
        for path in tracked_files()
        if (text := read_text(path)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("words", [WORKPLACE, DOWNLOAD_HOSTS], ids=["workplace", "hosts"])
def test_no_tracked_file_names_where_it_was_made(words: list[str]) -> None:
    """A path or a host of one workplace is a promise the next reader cannot keep."""
    pattern = re.compile("|".join(re.escape(word) for word in words))

    assert _find(pattern) == []


def test_no_tracked_file_counts_on_a_list_of_issues() -> None:
    assert _find(ISSUE) == []


def test_nothing_is_marked_as_left_to_do() -> None:
    assert _find(UNFINISHED) == []


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    """An address would tie every installation to one mirror."""
    locks = [path for path in tracked_files() if path.suffix == ".lock"]
    texts = {str(path): read_text(path) or "" for path in locks}

    assert {"requirements.lock", "requirements-dev.lock", "tools/uv.lock"} <= texts.keys()
    assert [name for name, text in texts.items() if re.search(r"https?:|file:|--index", text)] == []
    assert [name for name, text in texts.items() if "--hash=sha256:" not in text] == []
