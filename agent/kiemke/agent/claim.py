"""Who is said to use this PC and what its sticker says, as answered at its installation.

It is a person's word, told to the server as one (section ``claimed_holder``): never custody.
"""

from dataclasses import asdict
from pathlib import Path

from kiemke.agent.files import read_json, write_json
from kiemke.wire.claim import ClaimedHolder
from kiemke.wire.clean import clean_text

FILE = "claim.json"
MOST_CHARACTERS = 200


def read_claim(folder: Path | None) -> ClaimedHolder | None:
    """Return what was answered, empty when it was taken back, None when nobody was asked.

    Raises StateError for a damaged file.
    """
    raw = None if folder is None else read_json(folder / FILE)
    if raw is None:
        return None
    names = ("holder", "code", "tag", "claimed_on")
    return ClaimedHolder(**{name: _text(raw.get(name)) for name in names})


def save_claim(folder: Path, claim: ClaimedHolder) -> None:
    """Write the answer in the place of an earlier one; an empty one takes it back. Raises StateError."""
    write_json(folder / FILE, asdict(claim))


def is_empty(claim: ClaimedHolder) -> bool:
    """Tell whether it says nothing of the PC."""
    return not (claim.holder or claim.code or claim.tag)


def _text(value: object) -> str | None:
    return clean_text(value, MOST_CHARACTERS) or None if isinstance(value, str) else None
