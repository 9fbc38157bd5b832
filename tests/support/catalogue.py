"""The texts the command line marks for translation, and its Vietnamese catalogue."""

import functools
import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

CLI = Path(__file__).resolve().parents[2] / "cli" / "kiemke" / "cli"
PO = CLI / "locale" / "vi" / "LC_MESSAGES" / "kiemke.po"
MO = PO.with_suffix(".mo")
KEYWORDS = {"_": None, "N_": None, "P_": (1, 2)}


@functools.cache
def marked_texts() -> dict[str, tuple[str, ...]]:
    """Return {msgid: (msgid,) or (singular, plural)} of every text marked in the sources."""
    found = extract_from_dir(CLI, [("**.py", "python")], {}, keywords=KEYWORDS)
    texts: dict[str, tuple[str, ...]] = {}
    for _file, _line, message, _comments, _context in found:
        forms = message if isinstance(message, tuple) else (message,)
        texts[forms[0]] = tuple(forms)
    return texts


def vietnamese() -> Catalog:
    """Return the catalogue as it is in the .po file. Raises PoFileError on a bad one."""
    with PO.open("rb") as file:
        return read_po(file, locale="vi", abort_invalid=True)


def compiled(catalogue: Catalog) -> bytes:
    """Return the .mo bytes of a catalogue."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def update() -> list[str]:
    """Bring the .po in step with the sources and compile it; return the msgids still to translate.

    Run by hand after a text changed: ``python -m tests.support.catalogue``.
    """
    before, texts = vietnamese(), marked_texts()
    for message in list(before):
        if message.id and _first(message.id) not in texts:
            before.delete(message.id)
    for forms in texts.values():
        if before.get(forms[0]) is None:
            before.add(forms if len(forms) > 1 else forms[0], "")
    with PO.open("wb") as file:
        write_po(file, before, width=98, sort_output=True)
    MO.write_bytes(compiled(vietnamese()))
    return [_first(message.id) for message in before if message.id and not message.string]


def _first(msgid: str | tuple[str, ...] | list[str]) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


if __name__ == "__main__":
    for untranslated in update():
        print(untranslated)
