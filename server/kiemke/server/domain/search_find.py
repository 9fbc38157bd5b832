"""Candidates for a question: what its words find, of the units that may be seen, kind by kind."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.search_blocks import matches
from kiemke.server.domain.search_words import BACKWARDS, HIGHEST, Asked, holds, is_whole

# Of one kind and one way to find it. More is told as "more": nobody reads so many.
MOST_ROWS = 600
_ENOUGH_FOR_A_GUESS = 500
# Up to so many units are looked at one by one.
FEW_UNITS = 300
_BLOCKS_A_PAGE = 200

# How loosely a word fits: all of it, its beginning, its words in another order, its middle.
WHOLE, BEGINNING, WORDS, MIDDLE = range(4)

Candidates = dict[str, dict[int, int]]


def _are_few(units: Sequence[int] | None) -> bool:
    return units is not None and len(units) <= FEW_UNITS


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
        for kind, subject_id, word in await self._fetch(self._units, self._asked.starts):
            fit = WHOLE if is_whole(self._asked, word) else BEGINNING
            found[kind][subject_id] = min(found[kind].get(subject_id, MIDDLE), fit)
        if self._asked.tokens:
            rarest = await self._rarest(self._asked.tokens)
            others = [token for token in self._asked.tokens if token != rarest]
            for kind, subject_id, word in await self._fetch(self._units, (rarest,), others):
                if holds(others, word):
                    found[kind].setdefault(subject_id, WORDS)
        if self._asked.inner is not None and not any(found.values()):
            await self._find_middles(found, self._asked.inner)
        return found

    async def _find_middles(self, found: Candidates, piece: str) -> None:
        """Add what has a piece, backwards, in a number: a few units' by their words, others by blocks."""
        few = {kind: units for kind, units in self._units.items() if _are_few(units)}
        for kind, subject_id, _ in await self._fetch(few, (BACKWARDS,), inner=piece):
            found[kind][subject_id] = MIDDLE
        for kind in self._units.keys() - few.keys():
            ids = await self._read_blocks(kind, self._units[kind], piece)
            found[kind] = dict.fromkeys(ids[:MOST_ROWS], MIDDLE)
            if len(ids) >= MOST_ROWS:
                self.cut.add(kind)

    async def _read_blocks(self, kind: str, units: Sequence[int] | None, piece: str) -> list[int]:
        """Return the first things of a kind and of these units that have the piece, by id."""
        strpos = "instr" if self._session.dialect == "sqlite" else "strpos"
        found: list[int] = []
        after = -1
        while len(found) < MOST_ROWS:
            blocks = await self._session.fetch(
                "SELECT block, words FROM search_block WHERE kind = :kind AND block > :after"  # noqa: S608 - parts of this file
                f" AND {strpos}(words, :piece) > 0 ORDER BY block LIMIT {_BLOCKS_A_PAGE}",
                kind=kind,
                after=after,
                piece=piece,
            )
            ids = [i for row in blocks for i in matches(row["block"], row["words"], piece)]
            found += ids if units is None else await self._of_units(kind, ids, units)
            if len(blocks) < _BLOCKS_A_PAGE:
                break
            after = blocks[-1]["block"]
        return found

    async def _of_units(self, kind: str, ids: list[int], units: Sequence[int]) -> list[int]:
        rows = await self._session.fetch(
            "SELECT DISTINCT subject_id FROM search_word WHERE kind = :kind"
            " AND subject_id IN :[ids] AND unit_id IN :[units] ORDER BY subject_id",
            kind=kind,
            ids=ids,
            units=units,
        )
        return [row["subject_id"] for row in rows]

    async def _rarest(self, tokens: Sequence[str]) -> str:
        """Return the token that begins the fewest words; the longest of those that begin many."""
        params: dict[str, Any] = {}
        columns = []
        for number, token in enumerate(tokens):
            params[f"start{number}"], params[f"end{number}"] = token, token + HIGHEST
            counts = " + ".join(
                f"(SELECT COUNT(*) FROM (SELECT 1 FROM search_word WHERE {self._range(kind, number)}"  # noqa: S608 - parts of this file
                f" LIMIT {_ENOUGH_FOR_A_GUESS}) AS few)"
                for kind in self._units
            )
            columns.append(f"{counts} AS n{number}")
        row = await self._session.one(f"SELECT {', '.join(columns)}", **params) or {}
        return min(
            tokens, key=lambda token: (row.get(f"n{tokens.index(token)}", 0), -len(token), token)
        )

    def _range(self, kind: str, number: int) -> str:
        column = f"word{self._order}"
        return f"kind = '{kind}' AND {column} >= :start{number} AND {column} < :end{number}"

    def _hint(self, units: Sequence[int] | None) -> str:
        """Return what makes SQLite read a few units' own words, not all words past them."""
        return " INDEXED BY search_word_unit" if _are_few(units) and not self._order else ""

    async def _fetch(
        self,
        units_of: Mapping[str, Sequence[int] | None],
        starts: Sequence[str],
        others: Sequence[str] = (),
        inner: str | None = None,
    ) -> list[tuple[str, int, str]]:
        """Return kind, id and word of words that begin so: of each start and kind the first rows."""
        if not units_of:
            return []
        params: dict[str, Any] = {}
        also = ""
        for number, other in enumerate(others):
            also += f" AND (word LIKE :other{number} OR word LIKE :inside{number})"
            params[f"other{number}"], params[f"inside{number}"] = f"{other}%", f"% {other}%"
        if inner is not None:
            also += " AND word LIKE :inner"
            params["inner"] = f"%{inner}%"
        parts = []
        for number, start in enumerate(starts):
            params[f"start{number}"], params[f"end{number}"] = start, start + HIGHEST
            for kind, units in units_of.items():
                mine = "" if units is None else f" AND unit_id IN :[units_{kind}]"
                if units is not None:
                    params[f"units_{kind}"] = units
                parts.append(
                    f"SELECT * FROM (SELECT '{kind}' AS kind, {number} AS number, subject_id, word"  # noqa: S608 - parts of this file
                    f" FROM search_word{self._hint(units)} WHERE {self._range(kind, number)}{mine}{also}"
                    f" ORDER BY word{self._order}, unit_id, subject_id LIMIT {MOST_ROWS})"
                    f" AS {kind}{number}"
                )
        rows = await self._session.fetch(" UNION ALL ".join(parts), **params)
        counted = Counter((row["kind"], row["number"]) for row in rows)
        self.cut |= {kind for (kind, _), count in counted.items() if count == MOST_ROWS}
        return [(row["kind"], row["subject_id"], row["word"]) for row in rows]
