"""One of a vocabulary's codes as a person types it: the code, or its word in either language."""

import re
from typing import Any

import click

from kiemke.cli.i18n import _, in_languages
from kiemke.cli.text import fold, visible
from kiemke.cli.words import VOCABULARIES, codes, word
from kiemke.cli.words_acts import ACT_WORDS


class Choice(click.Choice[str]):
    """One of a vocabulary's codes, or of the first ``most``; ``also`` are codes without a word.

    “Thị trấn”, "township" and "thi-tran" are all thi_tran; so are the first words, where they are of one.
    """

    def __init__(
        self, vocabulary: str, *, most: int | None = None, also: tuple[str, ...] = ()
    ) -> None:
        super().__init__((*codes(vocabulary)[:most], *also))
        self._vocabulary = vocabulary

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:  # fmt: skip
        """Return the code. Fails for a word that is none, naming all with their words."""
        if value in self.choices:
            return str(value)
        asked = _key(str(value))
        keys = {code: self._keys(code) for code in self.choices}
        found = [code for code, names in keys.items() if asked in names] or [
            code
            for code, names in keys.items()
            if any(f"{name} ".startswith(f"{asked} ") for name in names)
        ]
        if len(found) == 1:
            return found[0]
        listed = ", ".join(self._shown(code) for code in self.choices)
        self.fail(
            _("“{value}” is none of: {listed}").format(value=visible(str(value)), listed=listed)
        )

    def _keys(self, code: str) -> set[str]:
        msgid = VOCABULARIES[self._vocabulary].get(code)
        return {_key(text) for text in (code, *(in_languages(msgid) if msgid else ()))}

    def _shown(self, code: str) -> str:
        told = word(self._vocabulary, code)
        return code if told == code else f"{code} ({told})"


def _key(text: str) -> str:
    return fold(text.replace("_", " ").replace("-", " "))


_ACT_CODE = re.compile(r"[a-z_]+(\.[a-z_]+)*")
_MOST_NEAR = 8


class ActType(click.ParamType[str]):
    """An act of the audit log: its word in either language, its code, or a kind of them ("source").

    A code that has no word here is asked for as it is: the server may be newer.
    """

    name = "act"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:  # fmt: skip
        """Return the code or the kind. Fails for what is neither, naming the acts that are near."""
        asked = _key(str(value))
        keys = {
            code: {_key(text) for text in in_languages(msgid)} for code, msgid in ACT_WORDS.items()
        }
        for code, names in keys.items():
            if asked in names:
                return code
        if any(f"{code}.".startswith(f"{value}.") for code in ACT_WORDS):
            return str(value)
        near = [code for code, names in keys.items() if any(asked in name for name in names)]
        if len(near) == 1:
            return near[0]
        if not near and _ACT_CODE.fullmatch(str(value)):
            return str(value)
        listed = "; ".join(f"{word('act', code)} ({code})" for code in near[:_MOST_NEAR])
        told = (
            _("“{value}” is no act; near it: {listed}")
            if near
            else _("“{value}” is no act; kiemke audit list shows the acts there are")
        )
        self.fail(told.format(value=visible(str(value)), listed=listed), param, ctx)
