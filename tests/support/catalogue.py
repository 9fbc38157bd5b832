"""The texts the command line marks for translation, and its Vietnamese catalogue."""

import functools
import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

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
