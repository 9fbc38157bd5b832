"""The numbers of some neighbours in one text, so that a piece of a number is looked for in few rows.

A piece may begin anywhere, so no order of the words brings it near. Read through are therefore all
numbers, but packed: a country's are some 20 MB, in rows of about a kilobyte, which neither database
stores elsewhere or compresses. A line is two capital letters, the thing's place in the block, and its
backward words; no word has a capital letter or a line's end, so a piece is found in words alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from kiemke.server.db import Session
from kiemke.server.domain.search_words import BACKWARDS

BLOCK_THINGS = 16
_A = ord("A")

# The words of a thing that belong into its block, by its id; none where it is gone.
Numbers = Mapping[int, Iterable[str]]


def _mark(place: int) -> str:
    return chr(_A + place // 26) + chr(_A + place % 26)


def pack(lines: Mapping[int, str]) -> str:
    """Return the text of a block; ``lines`` are words by the thing's place in it."""
    return "".join(f"\n{_mark(place)}{lines[place]}" for place in sorted(lines))


def unpack(text: str) -> dict[int, str]:
    """Return what ``pack`` was given."""
    lines = text.split("\n")[1:]
    return {(ord(line[0]) - _A) * 26 + ord(line[1]) - _A: line[2:] for line in lines}


def matches(block: int, text: str, piece: str) -> list[int]:
    """Return the ids of a block's things that have the piece, backwards, in a number."""
    return [block * BLOCK_THINGS + place for place, line in unpack(text).items() if piece in line]


async def keep(session: Session, kind: str, numbers: Numbers) -> None:
    """Put what is said of some things of a kind into their blocks, and take out what is said no more."""
    due: dict[int, dict[int, str]] = defaultdict(dict)
    for subject_id, words in numbers.items():
        block, place = divmod(subject_id, BLOCK_THINGS)
        due[block][place] = "".join(sorted({w for w in words if w.startswith(BACKWARDS)}))
    rows = await session.fetch(
        "SELECT block, words FROM search_block WHERE kind = :kind AND block IN :[blocks]",
        kind=kind,
        blocks=sorted(due),
    )
    before = {row["block"]: unpack(row["words"]) for row in rows}
    texts = {}
    for block, lines in due.items():
        merged = before.get(block, {}) | lines
        texts[block] = pack({place: line for place, line in merged.items() if line})
    await session.execute(
        "DELETE FROM search_block WHERE kind = :kind AND block IN :[blocks]",
        kind=kind,
        blocks=[block for block in sorted(before) if not texts[block]],
    )
    await session.many(
        "INSERT INTO search_block (kind, block, words) VALUES (:kind, :block, :words)"
        " ON CONFLICT (kind, block) DO UPDATE SET words = excluded.words",
        [{"kind": kind, "block": b, "words": text} for b, text in sorted(texts.items()) if text],
    )
