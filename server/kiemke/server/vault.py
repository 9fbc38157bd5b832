"""The keys that seal secrets in the database (AES-256-GCM), and where they are kept: never in it.

A key ring is text: 256-bit keys of 64 hex digits, one a line or with spaces between. The first seals;
the others only open what was sealed before a rotation. It comes from the setting ``secrets_key``
(KIEMKE_SECRETS_KEY), else from the file ``secrets_key_file``, else from systemd's credential
``kiemke-secrets-key``, else from keys/secrets.key in the data folder, which is made when missing.

What is sealed is bound to its place ("secret 7 2"), so that one row's value cannot be put into
another's (NIST SP 800-38D, 96-bit random nonces).
"""

import base64
import binascii
import os
import re
import secrets
import stat
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiemke.server.errors import SettingsError
from kiemke.server.settings import Settings

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY = re.compile(r"[0-9a-fA-F]{64}")


class Vault:
    """Seals and opens values. Its keys are never shown: ``repr`` tells how many there are."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def __repr__(self) -> str:
        return f"Vault({len(self._keys)} keys)"

    @property
    def current(self) -> str:
        """Return the name of the key that seals: 16 hex digits of its SHA-256."""
        return _name_of(self._keys[0])

    def seal(self, place: str, data: bytes) -> str:
        """Return ``data`` sealed for ``place``: the key's name, a colon, base64."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(self._keys[0]).encrypt(nonce, data, place.encode())
        return f"{self.current}:{base64.b64encode(sealed).decode('ascii')}"

    def open(self, place: str, sealed: str) -> bytes | None:
        """Return what was sealed for ``place``, None when it was not, or by a key not at hand.

        What carries no key's name was sealed before keys had names; every key is tried.
        """
        name, colon, text = sealed.rpartition(":")
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
        for key in self._keys:
            if colon and _name_of(key) != name:
                continue
            try:
                nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
                return AESGCM(key).decrypt(nonce, rest, place.encode())
            except (InvalidTag, ValueError):
                continue
        return None

    def is_current(self, sealed: str) -> bool:
        """Return whether a value was sealed by the key that seals now."""
        return sealed.startswith(f"{self.current}:")


def open_vault(settings: Settings) -> Vault:
    """Return the vault of this installation. Raises SettingsError: what, where, what to do."""
    if settings.secrets_key is not None:
        return Vault(_read_ring(settings.secrets_key.reveal(), "secrets_key"))
    path = key_file(settings)
    try:
        # A file that was named may be root:kiemke 0640, as systemd shows its credentials.
        text = _read_private(path, group_may_read=settings.secrets_key_file is not None)
    except FileNotFoundError:
        if settings.secrets_key_file is not None:
            raise SettingsError(
                f"{path}: not there; put the key of this installation into it, or leave"
                " secrets_key_file out to have one made in data_dir."
            ) from None
        text = _make_file(path)
    return Vault(_read_ring(text, str(path)))


def key_file(settings: Settings) -> Path:
    """Return the file that holds the keys, whether or not it is there."""
    return settings.secrets_key_file or settings.data_dir / "keys" / "secrets.key"


def begin_rotation(settings: Settings) -> Vault:
    """Put a new key before the ones of the file; return the vault that seals with it.

    Raises SettingsError when the keys do not stand in a file that this program may write.
    """
    path = _own_file(settings)
    open_vault(settings)  # made when there is none yet
    ring = _read_ring(_read_private(path), str(path))
    _write_file(path, [secrets.token_bytes(KEY_BYTES), *ring])
    return open_vault(settings)


def end_rotation(settings: Settings) -> None:
    """Forget every key but the one that seals: nothing is sealed by the others any more."""
    path = _own_file(settings)
    _write_file(path, _read_ring(_read_private(path), str(path))[:1])


def _own_file(settings: Settings) -> Path:
    if settings.secrets_key is not None:
        raise SettingsError(
            "the key stands in the setting secrets_key: write there a new key of 64 hex digits,"
            " a space and the old one, run kiemke-server secrets-key reseal, then take the old one"
            " away."
        )
    return key_file(settings)


def _name_of(key: bytes) -> str:
    return sha256(b"kiemke key " + key).hexdigest()[:16]


def _read_ring(text: str, where: str) -> list[bytes]:
    parts = text.split()
    if not parts or not all(_KEY.fullmatch(part) for part in parts):
        # The text itself is a secret: it is not shown.
        raise SettingsError(f"{where}: not a key of 64 hex digits; restore it from its copy.")
    return [bytes.fromhex(part) for part in parts]


def _read_private(path: Path, *, group_may_read: bool = False) -> str:
    try:
        with path.open("r", encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if sys.platform != "win32" and mode & (0o037 if group_may_read else 0o077):
                raise SettingsError(
                    f"{path}: mode is {mode:04o}, others may read it; run chmod 600 {path}"
                )
            return file.read()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not text; restore it from its copy.") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from error


def _make_file(path: Path) -> str:
    text = secrets.token_hex(KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        # Two processes that start at once: the first one's file is the one.
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return _read_private(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be made ({error.strerror}).") from error
    return text


def _write_file(path: Path, keys: Sequence[bytes]) -> None:
    beside = path.with_suffix(".new")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write("\n".join(key.hex() for key in keys) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}).") from error
