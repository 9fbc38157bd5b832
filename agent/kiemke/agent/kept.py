"""The last inventory as it was read for the server, kept beside the outbox: what is compared with now."""

import json
import os
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kiemke.agent.files import as_folder_owner, create_private
from kiemke.agent.journal import warn
from kiemke.wire.inventory import Row

FILE = "inventory.json.z"
MOST_BYTES = 32 << 20

# By section: the token under which it was told and its rows.
Kept = dict[str, tuple[str, list[dict[str, Any]]]]


def keep(folder: Path, sections: dict[str, tuple[str, tuple[Row, ...]]]) -> None:
    """Keep the rows of these sections by their tokens; others stay. A disk that cannot is told."""
    known = read(folder) | {
        name: (token, [asdict(row) for row in rows]) for name, (token, rows) in sections.items()
    }
    packed = zlib.compress(json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode())
    file = folder / FILE
    fresh = file.with_name(f"{FILE}.new-{os.getpid()}")
    try:
        with os.fdopen(create_private(fresh), "wb") as out:
            as_folder_owner(out.fileno(), folder)
            out.write(packed)
        fresh.replace(file)
    except OSError as err:
        warn("inventory not kept", reason=str(err))


def read(folder: Path) -> Kept:
    """Return what was kept; empty when there is nothing that can be read."""
    try:
        unpack = zlib.decompressobj()
        with (folder / FILE).open("rb") as file:
            text = unpack.decompress(file.read(MOST_BYTES), MOST_BYTES)
        said = json.loads(text)
        return {str(name): (str(token), list(rows)) for name, (token, rows) in said.items()}
    except (OSError, ValueError, TypeError, AttributeError, zlib.error):
        return {}
