"""The key that signs releases of the agent. It lives on an administrator's PC, never on a server."""

import hashlib
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import _
from kiemke.wire.update import (
    LARGEST_PACKAGE_BYTES,
    Manifest,
    ManifestError,
    Signed,
    check,
    manifest_text,
    message_of,
)

_DEBIAN = re.compile(r"kiemke-agent_(\d+\.\d+\.\d+)_amd64\.deb")
SIGNED_SUFFIX = ".signed"


def make_key(file: Path, password: str) -> str:
    """Write a new key, sealed by a password, for this account alone; return its public half, hex.

    Raises KiemkeError, also when the file is there: a key is never written over.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(pem)
    except FileExistsError as err:
        raise KiemkeError(
            _("the file exists already"), where=str(file), remedy=_("choose another name")
        ) from err
    except OSError as err:
        raise _unwritable(file, err) from err
    return key.public_key().public_bytes_raw().hex()


def open_key(file: Path, password: str) -> Ed25519PrivateKey:
    """Return the key in a file. Raises KiemkeError."""
    try:
        mode = file.stat().st_mode
        if sys.platform != "win32" and mode & 0o077:
            raise KiemkeError(
                _("others may read the signing key"),
                where=str(file),
                remedy=_("chmod 600 the file; if others did read it, make another key"),
            )
        key = serialization.load_pem_private_key(file.read_bytes(), password.encode())
    except OSError as err:
        raise KiemkeError(
            _("the file cannot be read: {reason}").format(reason=err.strerror or err),
            where=str(file),
        ) from err
    except (ValueError, TypeError) as err:
        raise KiemkeError(
            _("this password does not open the signing key"),
            where=str(file),
            remedy=_("type it again; the file is one that “kiemke update key” made"),
        ) from err
    if not isinstance(key, Ed25519PrivateKey):
        raise KiemkeError(_("this is no signing key of releases"), where=str(file))
    return key


def sign_package(
    file: Path, key: Ed25519PrivateKey, *, version: str | None, days: int, now: datetime
) -> Path:
    """Write the signed manifest of a package beside it; return its file. Raises KiemkeError."""
    package = read_package(file)
    found = _DEBIAN.fullmatch(file.name)
    system = "windows-amd64" if file.suffix == ".msi" else "debian-amd64"
    told = version or (found[1] if found else "")
    if not told or (file.suffix != ".msi" and found is None):
        raise KiemkeError(
            _("which version this package is, is not told by its name"),
            where=file.name,
            remedy=_("a .deb keeps the name it was built with; for an .msi give --version"),
        )
    at = now.astimezone(UTC).replace(microsecond=0)
    manifest = Manifest(
        version=told,
        system=system,
        file=file.name,
        size_bytes=len(package),
        sha256=hashlib.sha256(package).hexdigest(),
        signed_at=at,
        expires_at=at + timedelta(days=days),
    )
    try:
        check(manifest)
    except ManifestError as err:
        raise KiemkeError(str(err), where=file.name) from err
    text = manifest_text(manifest)
    target = signed_file(file)
    try:
        target.write_bytes(Signed(manifest, text, key.sign(message_of(text))).encode())
    except OSError as err:
        raise _unwritable(target, err) from err
    return target


def signed_file(package: Path) -> Path:
    """Return where the signed manifest of a package is."""
    return package.with_name(package.name + SIGNED_SUFFIX)


def read_package(file: Path) -> bytes:
    """Return a package's bytes. Raises KiemkeError when it cannot be one."""
    try:
        size = file.stat().st_size
        if not 1 <= size <= LARGEST_PACKAGE_BYTES:
            raise KiemkeError(_("no package has this size"), where=f"{file}: {size} B")
        return file.read_bytes()
    except OSError as err:
        raise KiemkeError(
            _("the file cannot be read: {reason}").format(reason=err.strerror or err),
            where=str(file),
        ) from err


def _unwritable(file: Path, err: OSError) -> KiemkeError:
    return KiemkeError(
        _("the file cannot be written: {reason}").format(reason=err.strerror or err),
        where=str(file),
        remedy=_("choose a folder you may write to, with room on the disk"),
    )
