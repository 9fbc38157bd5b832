"""Every text of the command line is there in Vietnamese, and what runs is what was written."""

import ast
import re
from pathlib import Path

import click

from kiemke.cli.click_texts import CLICK_TEXTS
from tests.support.catalogue import CLI, MO, compiled, marked_texts, vietnamese

CLICK_FOLDER = Path(click.__file__).parent
PLACEHOLDER = re.compile(r"\{(\w+)(?:![rs])?\}")


def test_every_marked_text_has_its_vietnamese() -> None:
    catalogue = vietnamese()
    spoken = {_first(message.id) for message in catalogue if message.id and message.string}

    assert sorted(marked_texts().keys() - spoken) == []


def test_the_catalogue_holds_no_text_that_nobody_says() -> None:
    dead = [
        message.id
        for message in vietnamese()
        if message.id and _first(message.id) not in marked_texts()
    ]

    assert dead == []


def _forms(texts: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts or ())


def _first(msgid: str | tuple[str, ...] | list[str]) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


def test_no_translation_is_fuzzy_and_none_loses_a_placeholder() -> None:
    wrong = []
    for message in vietnamese():
        english = " ".join(_forms(message.id))
        spoken = " ".join(_forms(message.string))
        invented = set(PLACEHOLDER.findall(spoken)) - set(PLACEHOLDER.findall(english))
        lost = set(PLACEHOLDER.findall(_first(message.id))) - set(PLACEHOLDER.findall(spoken))
        # The plural forms of click name the same thing twice; one of the names suffices.
        if message.id and (message.fuzzy or invented or (lost and isinstance(message.id, str))):
            wrong.append(english)

    assert wrong == []


def test_the_compiled_catalogue_is_the_written_one() -> None:
    """The .mo is what runs; a forgotten compilation would show old words."""
    assert MO.read_bytes() == compiled(vietnamese())


def test_no_text_hides_inside_an_f_string() -> None:
    """The catalogue's reader does not look into one, so such a text would stay English."""
    hidden = [
        f"{path.name}:{node.lineno}"
        for path in CLI.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.JoinedStr)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call) and getattr(inner.func, "id", "") in ("_", "N_")
    ]

    assert hidden == []


def test_the_listed_sentences_are_still_those_of_click() -> None:
    """A new release of click that rewords one would quietly speak English."""
    package = "\n".join(path.read_text("utf-8") for path in CLICK_FOLDER.glob("*.py"))
    singles = [text if isinstance(text, str) else text[0] for text in CLICK_TEXTS]
    gone = [text for text in singles if text.replace("\n\t", "\\n\\t") not in package]

    assert gone == []
