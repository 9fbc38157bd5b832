"""A device's configuration on the wire: gzip in base64 lines, since plain texts lose their indents there."""

import base64
import binascii
import unicodedata
import zlib
from collections.abc import Sequence

MAX_CONFIG_CHARACTERS = 2_500_000
LINE_CHARACTERS = 900
MAX_LINES = 3_000  # 2 MB once packed: more than any configuration the cap allows
TAB_COLUMNS = 8

# Control, format, surrogate, private and unassigned characters have no place on a reader's screen.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def clean_config(text: str) -> str:
    """Return a configuration in NFC, a line a line: indents stay, tabs are spaces, nothing is invisible."""
    return "".join(f"{_clean_line(line)}\n" for line in text.split("\n")).strip("\n") + "\n"


def _clean_line(line: str) -> str:
    line = line.expandtabs(TAB_COLUMNS).rstrip()
    if line.isascii() and line.isprintable():
        return line
    kept = (
        c for c in unicodedata.normalize("NFC", line) if unicodedata.category(c) not in _DROPPED
    )
    return unicodedata.normalize("NFC", "".join(kept)).rstrip()


def pack(text: str) -> tuple[str, ...]:
    """Return a configuration as short lines of base64. Raises ValueError when it is too long."""
    if len(text) > MAX_CONFIG_CHARACTERS:
        raise ValueError(f"a configuration of more than {MAX_CONFIG_CHARACTERS} characters")
    data = base64.b64encode(zlib.compress(clean_config(text).encode(), 9)).decode()
    return tuple(data[n : n + LINE_CHARACTERS] for n in range(0, len(data), LINE_CHARACTERS))


def unpack(lines: Sequence[str]) -> str:
    """Return the configuration of ``pack``, cleaned once more. Raises ValueError for anything else."""
    if len(lines) > MAX_LINES or any(len(line) > LINE_CHARACTERS for line in lines):
        raise ValueError("longer than a configuration may be")
    limit = MAX_CONFIG_CHARACTERS * 4
    try:
        inflate = zlib.decompressobj()
        data = inflate.decompress(base64.b64decode("".join(lines), validate=True), limit + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"not a packed configuration: {error}") from error
    if len(data) > limit or not inflate.eof or inflate.unused_data:
        raise ValueError("not a packed configuration: cut short, or too long")
    text = clean_config(data.decode())
    if len(text) > MAX_CONFIG_CHARACTERS:
        raise ValueError(f"a configuration of more than {MAX_CONFIG_CHARACTERS} characters")
    return text
