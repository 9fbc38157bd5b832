"""`kiemke-agent decode`: what the decoders make of recorded EDID and SMBIOS files."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from kiemke.agent.decode.errors import DecodeError
from kiemke.agent.terminal import complain, say

EDID_FIELDS = (
    "manufacturer", "product_code", "name", "serial", "year", "week", "width_cm", "height_cm",
    "preferred", "digital",
)  # fmt: skip


def _edid(data: bytes) -> dict[str, object]:
    """Return one monitor as a JSON object."""
    # Only the decoder that is asked for is loaded.
    from kiemke.agent.decode import edid

    monitor = asdict(edid.decode(data))
    return {field: monitor[field] for field in EDID_FIELDS}


def _smbios(data: bytes) -> dict[str, object]:
    """Return one machine as a JSON object."""
    # Only the decoder that is asked for is loaded.
    from kiemke.agent.decode import smbios

    return asdict(smbios.decode_dump(data))


def _one_shot(data: bytes) -> dict[str, object]:
    """Return one PC's sections as a JSON object."""
    # Only the decoder that is asked for is loaded.
    from kiemke.agent import one_shot

    seen = one_shot.decode(data)
    sections = {name: [asdict(row) for row in rows] for name, rows in seen.sections.items()}
    return {"taken_on": seen.taken_on.isoformat(), "hostname": seen.hostname, "sections": sections}


DECODERS: dict[str, Callable[[bytes], dict[str, object]]] = {
    "edid": _edid,
    "smbios": _smbios,
    "one-shot": _one_shot,
}
STANDARD_INPUT = "-"


def run(kind: str, files: Sequence[str]) -> int:
    """Print one JSON object a line for each file; return 1 when any could not be read."""
    failed = 0
    for name in files:
        try:
            row = {"file": name, **DECODERS[kind](_read(name))}
        except (OSError, DecodeError) as err:
            reason = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
            complain(f"{name}: {reason}")
            failed = 1
            continue
        say(json.dumps(row, ensure_ascii=False))
    return failed


def _read(name: str) -> bytes:
    """Return a file's bytes, of standard input for "-". Raises OSError.

    What comes by standard input is a stranger's: the server has it read here, in a child of its own.
    """
    if name != STANDARD_INPUT:
        return Path(name).read_bytes()
    from kiemke.agent.commands.sense import limit_memory

    limit_memory()
    return sys.stdin.buffer.read()
