"""One of a vocabulary's codes as a person types it: the code, or its word in either language."""

from typing import Any

import click

from kiemke.cli.i18n import _, in_languages
from kiemke.cli.text import fold, visible
from kiemke.cli.words import VOCABULARIES, codes, word


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
