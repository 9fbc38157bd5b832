"""Units by the name a roster or a register gives them, as loosely as leaves one unit only.

"Văn phòng HĐND & UBND" is "Văn phòng HĐND-UBND", "UBND xã An Hòa" is "Xã An Hoà". A name that fits
several units is none's; of whoever may see some units only, no other is looked at or told of.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from kiemke.server.db import Session
from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import units_by_code

_MOST_TOLD = 5
_LEAST_LIKENESS = 0.6
_COMMITTEE = re.compile(
    r"(?:ubnd|uy ban nhan dan) (?=(?:xa|phuong|thi tran|huyen|quan|thi xa|thanh pho|tinh|dac khu) )"
)
_NOT_ALNUM = re.compile(r"[^0-9a-z]+")


def name_key(text: str) -> str:
    """Return what two ways to write one unit's name share.

    Letters without diacritics and digits; no "và", no "UBND" before what the committee is of.
    """
    words = _NOT_ALNUM.sub(" ", search_key(text)).split()
    bare = " ".join(word for word in words if word != "va")
    return _COMMITTEE.sub("", bare, count=1) if _COMMITTEE.match(bare) else bare


class UnitNames:
    """The units of today by code and by name, and what was found of them."""

    def __init__(
        self, known: Iterable[str], own: Iterable[str], named: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.known = frozenset(known)
        self._own = frozenset(own)
        self._named = named  # name key -> code -> name
        self._taken: Counter[str] = Counter()
        self._lost: dict[str, str] = {}

    @classmethod
    async def load(
        cls,
        session: Session,
        texts: Iterable[str],
        own: Mapping[str, str],
        within: frozenset[int] | None,
    ) -> "UnitNames":
        """Return what can be said of these texts; ``own`` are codes and names the file itself brings."""
        texts = set(texts)
        known = set(await units_by_code(session, texts))
        named: dict[str, dict[str, str]] = defaultdict(dict)
        if texts - known - set(own):
            for code, name in own.items():
                named[name_key(name)][code] = name
            for row in await session.fetch(
                "SELECT unit_id, code, name FROM unit_version"
                " WHERE voided_at_ms IS NULL AND valid_to IS NULL ORDER BY code"
            ):
                if within is None or row["unit_id"] in within:
                    named[name_key(row["name"])][row["code"]] = row["name"]
        return cls(known, own, named)

    def code_of(self, text: str) -> str:
        """Return the code of the one unit that ``text`` is the code or name of, else ``text``."""
        if text in self.known or text in self._own:
            return text
        fits = self._named.get(name_key(text), {})
        if len(fits) == 1:
            self._taken[text] += 1
            return next(iter(fits))
        self._lost[text] = name_key(text)
        return text

    def is_unit(self, text: str, code: str) -> bool:
        """Tell whether ``code_of`` knew ``text`` and made it ``code``."""
        return code != text or text in self.known

    def notices(self) -> list[Words]:
        """Return which names were taken as codes, and of those nobody knows what comes near."""
        told = []
        if self._taken:
            count, some = sum(self._taken.values()), ", ".join(sorted(self._taken)[:_MOST_TOLD])
            told.append(Words(
                f"{count} ô ghi tên đơn vị, đã đổi ra mã: {some}",
                f"{count} cells name a unit, taken as its code: {some}",
            ))  # fmt: skip
        for text, key in sorted(self._lost.items())[:_MOST_TOLD]:
            fits = self._named.get(key, {})
            if fits:
                some = ", ".join(list(fits)[:_MOST_TOLD])
                told.append(Words(
                    f"{len(fits)} đơn vị tên “{text}”: {some}; ghi mã",
                    f"{len(fits)} units are named “{text}”: {some}; write the code",
                ))  # fmt: skip
                continue
            near = get_close_matches(key, self._named, 3, _LEAST_LIKENESS)
            names = [f"{code} {name}" for one in near for code, name in self._named[one].items()]
            if names:
                some = ", ".join(names[:3])
                told.append(Words(f"“{text}”: có phải {some}?", f"“{text}”: is it {some}?"))
        return told
