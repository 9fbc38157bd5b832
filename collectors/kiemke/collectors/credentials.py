"""SNMP credentials by name, local to this collector: ``credentials.toml`` in the state folder.

A section of this file wins over a secret of the server of the same name. Communities and keys never
leave this machine, are never in argv, logs or errors; the file must be readable by its owner alone.
"""

import os
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiemke.collectors.errors import ConfigError
from kiemke.wire.credential import FieldError, check_fields
from kiemke.wire.secret import Secret

FILE_NAME = "credentials.toml"


@dataclass(frozen=True, slots=True)
class Credential:
    """One way to be let in: a v1 or v2c ``community``, or a v3 ``user`` with its keys, if it has any.

    ``context`` names a part of the device (RFC 3411 section 3.3.1); v3 only, "" for the whole.
    """

    name: str
    version: str
    community: Secret | None = None
    user: str | None = None
    auth_protocol: str | None = None
    auth_key: Secret | None = None
    privacy_protocol: str | None = None
    privacy_key: Secret | None = None
    context: str = ""


def read_credentials(path: Path) -> dict[str, Credential]:
    """Return the SNMP credentials of a TOML file by name; sections with ``kind = "ssh"`` are left out.

    Raises ConfigError saying where and what to do: a missing file, one that others may read, broken
    TOML, unknown or missing keys, unknown protocols, short keys. No error shows a value.
    """
    sections = read_sections(path)
    return {
        name: _read_one(path, name, table)
        for name, table in sections.items()
        if not (isinstance(table, dict) and table.get("kind") == "ssh")
    }


def read_sections(path: Path) -> dict[str, object]:
    """Return the sections of a private TOML file as they stand. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            _demand_private(path, os.fstat(file.fileno()))
            text = file.read().decode("utf-8")
    except FileNotFoundError as err:
        raise ConfigError(
            f'{path}: not there; write [default] version = "2c" community = "..." '
            f"into it and run chmod 600 {path}"
        ) from err
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: cannot be read ({type(err).__name__})") from err
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        # The decoder's message may quote a piece of the line, so only the position is passed on.
        place = str(err).rpartition("(at ")[2].rstrip(")")
        raise ConfigError(f"{path}: not valid TOML at {place}; correct that line") from None


def _demand_private(path: Path, found: os.stat_result) -> None:
    """Refuse a file that group or others may touch (POSIX; on Windows the folder's ACL guards it)."""
    if sys.platform == "win32":
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise ConfigError(f"{path}: mode is {mode:04o}, others may read it; run chmod 600 {path}")


def _read_one(path: Path, name: str, table: object) -> Credential:
    where = f"{path}: [{name}]"
    if not isinstance(table, dict):
        raise ConfigError(f'{path}: "{name}" stands outside a [name] section; move it into one')
    try:
        return make_credential(name, check_fields("snmp", table))
    except FieldError as err:
        raise ConfigError(f"{where} {err}") from None


def make_credential(name: str, fields: Mapping[str, str]) -> Credential:
    """Return a credential of fields that ``wire.credential.check_fields`` let pass."""

    def secret(key: str) -> Secret | None:
        return Secret(fields[key]) if key in fields else None

    return Credential(
        name,
        fields["version"],
        community=secret("community"),
        user=fields.get("user"),
        auth_protocol=fields.get("auth_protocol"),
        auth_key=secret("auth_key"),
        privacy_protocol=fields.get("privacy_protocol"),
        privacy_key=secret("privacy_key"),
    )
