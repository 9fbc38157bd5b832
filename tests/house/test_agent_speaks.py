"""What the agent writes in English where it arises has its Vietnamese in the agent's table."""

import argparse
import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from kiemke.agent import arguments, privacy, tongue
from kiemke.agent.state import SEALED_WORDS
from kiemke.agent.update import apply, decide
from kiemke.cli import refusals
from kiemke.wire.client import UNPROVEN_WORDS, UNWANTED
from kiemke.wire.tongue import read_tables
from tests.support.tree import ROOT

# What reaches a person by its text: errors told at the terminal, and the words of functions that speak.
TOLD = {
    "StateError", "NotEnrolledError", "EnrolmentError", "NoAnswerError", "OutboxError",
    "OutboxBusyError", "PinError", "FetchError", "InstallError", "ManifestError", "HttpError",
    "in_tongue", "_later",
}  # fmt: skip
FOLDERS = (ROOT / "agent" / "kiemke" / "agent", ROOT / "agent" / "kiemke" / "wire")
LETTERS = re.compile(r"[A-Za-z]{2}")


@pytest.fixture(autouse=True)
def vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "vi")


def sentences(folders: Iterable[Path], told: set[str], place: int = 0) -> Iterator[tuple[str, str]]:
    """Return each sentence with where it stands; what is put into it is ⟨0⟩, ⟨1⟩ ..."""
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and node.args[place:] and _name(node.func) in told:
                    text = _text(node.args[place])
                    if text and LETTERS.search(text):
                        yield f"{file.relative_to(ROOT)}:{node.lineno}", text


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"⟨{place}⟩"
            for place, part in enumerate(node.values)
        )
    return ""


def test_every_complaint_has_its_vietnamese() -> None:
    found = dict(sentences(FOLDERS, TOLD))

    assert len(found) > 60
    assert [
        f"{where}: {text}" for where, text in found.items() if tongue.in_tongue(text) == text
    ] == []


def test_what_the_agent_may_say_besides_has_its_vietnamese() -> None:
    said = [
        SEALED_WORDS, privacy.SWITCHED_OFF, f"{UNPROVEN_WORDS} (x)", apply.SILENT, apply.ALL_SILENT,
        apply.SILENT_AGAIN, *decide.WORDS.values(), *(words for _, words in UNWANTED.values()),
        *(item.words for item in privacy.ITEMS), *(why for _, why in arguments.EXAMPLES),
    ]  # fmt: skip

    assert [text for text in said if tongue.in_tongue(text) == text] == []


def texts(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Return every word of a command line's help."""
    yield from filter(None, (parser.description, *(group.title for group in parser._action_groups)))
    for action in parser._actions:
        yield from (action.help,) if action.help and action.help != argparse.SUPPRESS else ()
        if isinstance(action, argparse._SubParsersAction):
            for one in dict.fromkeys(action.choices.values()):
                yield from texts(one)
        elif isinstance(action.metavar, str) and action.metavar not in ("URL", "MB", "N"):
            yield action.metavar


def test_every_word_of_the_help_has_its_vietnamese() -> None:
    told = list(texts(arguments.parser()))

    assert len(told) > 60
    assert sorted({text for text in told if tongue.in_tongue(text) == text}) == []


def test_a_translated_sentence_keeps_what_was_put_into_it() -> None:
    assert tongue.in_tongue(
        "/a b/{x}.db: [Errno 28] No space left on device; run this as root"
    ) == ("/a b/{x}.db: ổ đĩa đã đầy; chạy bằng root")
    assert tongue.in_tongue("a sentence nobody knows") == "a sentence nobody knows"


def test_the_server_side_knows_the_same_reasons_in_both_languages() -> None:
    words = {*decide.WORDS.values(), apply.SILENT, apply.ALL_SILENT, apply.SILENT_AGAIN}

    assert set(refusals.REASONS) == words


def test_the_help_is_written_in_the_readers_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Argparse's own words too; a parser that nobody reads translates nothing."""
    for tongue_of, told, wrong in (
        ("vi", ("Cách dùng: kiemke-agent seal", "THƯ_MỤC", "Tùy chọn:", "hiện hướng dẫn"), "còn thiếu: MÃ"),
        ("en", ("usage: kiemke-agent seal", "DIR", "options:", "show this help"), "are required: token"),
    ):  # fmt: skip
        monkeypatch.setenv("KIEMKE_LANG", tongue_of)
        read_tables.cache_clear()
        for words in (["seal", "--help"], ["enroll"]):
            with pytest.raises(SystemExit):
                arguments.parser().parse_args(words)
        shown = capsys.readouterr()

        assert [word for word in told if word not in shown.out] == []
        assert shown.err.rstrip().endswith(wrong)
    assert read_tables.cache_info().misses == 0, "English needs no table"
