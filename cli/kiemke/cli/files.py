"""Files from the server, written whole or not at all."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import _


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: its length in bytes and the SHA-256 of exactly those bytes, hex."""

    size_bytes: int
    sha256: str


def refuse_existing(path: Path, force: bool) -> None:
    """Raise KiemkeError when the file is there and may not be replaced: a device never is."""
    if path.exists() and not (force and path.is_file()):
        raise KiemkeError(
            _("the file exists already"),
            where=str(path),
            remedy=_("choose another name, or replace it with --force"),
        )


def write_whole(path: Path, pieces: Iterable[bytes]) -> Written:
    """Write a file beside its place and move it there when complete. Raises KiemkeError."""
    digest, size = hashlib.sha256(), 0
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
            Path(name).chmod(0o640)  # an inventory is not for everybody on this machine
            Path(name).replace(path)
        except BaseException:
            # Also when interrupted: half an inventory must never look like one.
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as err:
        raise KiemkeError(
            _("the file cannot be written: {reason}").format(reason=err.strerror or err),
            where=str(path),
            remedy=_("choose a folder you may write to, with room on the disk"),
        ) from err
    return Written(size, digest.hexdigest())


def write_through(pieces: Iterable[bytes]) -> None:
    """Write a file to standard output as it comes."""
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
