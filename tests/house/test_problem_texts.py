"""No answer is half in one language: words within an error stand there in both."""

import ast
import re
from pathlib import Path

SERVER = Path(__file__).parents[2] / "server" / "kiemke" / "server"
# Two words beside each other, or one with Vietnamese letters.
_WORDS = re.compile(r"[A-Za-z]{2,} +[a-z]{2,}|[À-ỹ]")
_NOT_TOLD = ("headers",)


def plain_text(value: ast.expr) -> str:
    """Return what is written out in a text, "" for other expressions."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else ""
    if isinstance(value, ast.JoinedStr):
        return "".join(plain_text(part) or "_" for part in value.values)
    return ""


def test_words_given_to_an_error_are_in_both_languages() -> None:
    alone = []
    for path in sorted(SERVER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                alone += [
                    f"{path.name}:{node.lineno} {given.arg}={plain_text(given.value)!r}: use Both(vi, en)"
                    for given in node.keywords
                    if given.arg not in _NOT_TOLD and _WORDS.search(plain_text(given.value))
                ]

    assert alone == []
