"""Candidates for a question: what its words find, of the units that may be seen, kind by kind."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.search_words import (
    BACKWARDS,
    HIGHEST,
    Asked,
    holds,
    is_whole,
)

# Of one kind and one way to find it. More is told as "more": nobody reads so many.
MOST_ROWS = 600
_ENOUGH_FOR_A_GUESS = 500

# How loosely a word fits: all of it, its beginning, its words in another order, its middle.
WHOLE, BEGINNING, WORDS, MIDDLE = range(4)

Candidates = dict[str, dict[int, int]]


class Finder:
    """One question asked of the database. ``units`` by kind are those that may be seen, None is all.

    After ``find``, ``cut`` names the kinds of which there was more than is looked at.
    """

    def __init__(
        self, session: Session, asked: Asked, units: Mapping[str, Sequence[int] | None]
    ) -> None:
        self._session = session
        self._asked = asked
        self._units = units
        self._order = ' COLLATE "C"' if session.dialect == "postgres" else ""
        self.cut: set[str] = set()

    async def find(self) -> Candidates:
        """Return how loosely each candidate fits, by kind and id; the middle of numbers last."""
        found: Candidates = {kind: {} for kind in self._units}
        if not found:
            return found
        for start in self._asked.starts:
            await self._take(found, start)
        if self._asked.tokens:
            await self._take_tokens(found)
        if self._asked.inner is not None and not any(found.values()):
            await self._take(found, BACKWARDS, inner=self._asked.inner)
        return found

    async def _take(self, found: Candidates, start: str, **also: str) -> None:
        loosest = MIDDLE if also else BEGINNING
        for kind, rows in (await self._rows(start, **also)).items():
            for row in rows:
                fit = WHOLE if not also and is_whole(self._asked, row["word"]) else loosest
                before = found[kind].get(row["subject_id"], MIDDLE)
                found[kind][row["subject_id"]] = min(before, fit)

    async def _take_tokens(self, found: Candidates) -> None:
        """Find names that hold every word, whatever the order, by the word that is rarest."""
        counts = [(await self._guess(token), -len(token), token) for token in self._asked.tokens]
        rarest = min(counts)[2]
        others = [token for token in self._asked.tokens if token != rarest]
        for kind, rows in (await self._rows(rarest, others=others)).items():
            for row in rows:
                if holds(others, row["word"]):
                    found[kind].setdefault(row["subject_id"], WORDS)

    async def _guess(self, token: str) -> int:
        counts = " + ".join(
            f"(SELECT COUNT(*) FROM (SELECT 1 FROM search_word WHERE {self._range(kind)}"  # noqa: S608 - parts of this file
            f" LIMIT {_ENOUGH_FOR_A_GUESS}) AS few)"
            for kind in self._units
        )
        row = await self._session.one(f"SELECT {counts} AS n", start=token, end=token + HIGHEST)
        return int(row["n"]) if row else 0

    def _range(self, kind: str) -> str:
        return f"kind = '{kind}' AND word{self._order} >= :start AND word{self._order} < :end"

    async def _rows(
        self, start: str, *, others: Iterable[str] = (), inner: str | None = None
    ) -> dict[str, list[dict[str, Any]]]:
        """Return words that begin with ``start``, of each kind the first MOST_ROWS by their bytes."""
        params: dict[str, Any] = {"start": start, "end": start + HIGHEST}
        also = ""
        for number, other in enumerate(others):
            also += f" AND (word LIKE :other{number} OR word LIKE :inside{number})"
            params[f"other{number}"], params[f"inside{number}"] = f"{other}%", f"% {other}%"
        if inner is not None:
            also += " AND word LIKE :inner"
            params["inner"] = f"%{inner}%"
        found: dict[str, list[dict[str, Any]]] = {}
        for kind, units in self._units.items():
            mine = "" if units is None else " AND unit_id IN :[units]"
            scope = {} if units is None else {"units": units}
            rows = await self._session.fetch(
                f"SELECT subject_id, word FROM search_word WHERE {self._range(kind)}{mine}{also}"  # noqa: S608 - parts of this file
                f" ORDER BY word{self._order}, unit_id, subject_id LIMIT {MOST_ROWS}",
                **params,
                **scope,
            )
            if len(rows) == MOST_ROWS:
                self.cut.add(kind)
            found[kind] = rows
        return found
