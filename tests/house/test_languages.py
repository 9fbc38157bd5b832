"""What a user reads is whole in his language: no English in a Vietnamese text, nor the other way round."""

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kiemke.cli import reasons
from kiemke.cli import words as vocabulary
from kiemke.server.domain import text_labels
from tests.house.test_problem_texts import SERVER, plain_text

LOCALE = Path(reasons.__file__).parent / "locale"
# Which arguments of these calls are one text in Vietnamese and English.
PAIRS = {"Words": ((0, 1),), "Both": ((0, 1),), "refused": ((0, 1), (2, 3)), "Found": ((3, 2),)}
# Little words that no Vietnamese sentence has, and letters that no English one has.
_ENGLISH = re.compile(
    r"\b(the|is|are|was|and|not|with|this|that|which|already|nobody|from|only|none|needed|needs|has|have"
    r"|cannot|before|after|agrees|differs|more|left|missing)\b"
)
_VIETNAMESE = re.compile(r"[à-ãè-êìíò-õùúýăđĩũơưạ-ỹ]")
# What is typed, quoted or a name stands in both: commands, options, “examples”, the currency.
_AS_TYPED = re.compile(
    r"kiemke(-\w+)? [^.;,:)]*|--?[a-z][\w-]*|“[^”]*”|QĐ|đồng|triệu|tỷ|nghìn|\b[a-z]+_[a-z_]+\b"
)


@cache
def _calls() -> tuple[tuple[str, ast.Call], ...]:
    return tuple(
        (f"{path.name}:{node.lineno}", node)
        for path in sorted(SERVER.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _name(node) in PAIRS
    )


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def _pairs() -> Iterator[tuple[str, str, str]]:
    """Yield where a text stands, and it in Vietnamese and in English."""
    for where, call in _calls():
        for vi, en in PAIRS[_name(call)]:
            if len(call.args) > max(vi, en):
                said = [_AS_TYPED.sub("", plain_text(call.args[at])) for at in (vi, en)]
                yield where, said[0], said[1]


def test_no_text_of_the_server_is_half_in_the_other_language() -> None:
    told = list(_pairs())

    assert [f"{where} {vi!r}" for where, vi, _ in told if _ENGLISH.search(vi)] == []
    assert [f"{where} {en!r}" for where, _, en in told if _VIETNAMESE.search(en.lower())] == []
    assert len(told) > 500


def test_a_finding_in_words_has_them_in_both_languages() -> None:
    """Names, figures and a command are alike in both; a sentence is not."""
    alone = [
        where
        for where, call in _calls()
        if _name(call) == "Found"
        and len(call.args) == 3
        and re.search(r"[a-z]{2,} [a-z]{2,}", _AS_TYPED.sub("", plain_text(call.args[2])))
    ]

    assert alone == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (text_labels.LINK_REASONS, reasons.REASONS),
        (text_labels.EVIDENCE, vocabulary.VOCABULARIES["evidence"]),
    ],
    ids=["reasons of a line", "evidence"],
)
def test_exports_and_findings_say_it_in_the_words_of_the_command_line(
    ours: dict[str, text_labels.Words], theirs: dict[str, str]
) -> None:
    catalogue = gettext.translation("kiemke", LOCALE, languages=["vi"])

    assert {code: each.en for code, each in ours.items()} == theirs
    assert {c: w.vi for c, w in ours.items()} == {
        code: catalogue.gettext(text) for code, text in theirs.items()
    }
