"""SNMP credentials by name, local to this collector: ``credentials.toml`` in the state folder.

The server names a credential; the community and the keys never leave this machine, are never in
argv, logs or errors, and the file must be readable by its owner alone.
"""

import os
import stat
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.secret import Secret

FILE_NAME = "credentials.toml"
AUTH_NAMES = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
PRIVACY_NAMES = ("DES", "AES128", "AES192", "AES256")
V2_KEYS = {"version", "community"}
V3_KEYS = {"version", "user", "auth_protocol", "auth_key", "privacy_protocol", "privacy_key"}
MIN_KEY_CHARACTERS = 8  # RFC 3414 section 11.2: agents refuse shorter pass phrases


@dataclass(frozen=True, slots=True)
class Credential:
    """One way to be let in: a v2c ``community``, or a v3 ``user`` with its keys, if it has any."""

    name: str
    version: str
    community: Secret | None = None
    user: str | None = None
    auth_protocol: str | None = None
    auth_key: Secret | None = None
    privacy_protocol: str | None = None
    privacy_key: Secret | None = None


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
    version = table.get("version")
    if version not in ("2c", "3"):
        raise ConfigError(f'{where} needs version = "2c" or version = "3"')
    known = V2_KEYS if version == "2c" else V3_KEYS
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f'{where} unknown key "{key}"; known: {", ".join(sorted(known))}')
        if not isinstance(value, str) or not value:
            raise ConfigError(f'{where} "{key}" must be text in quotes, and not empty')
    if version == "2c":
        if "community" not in table:
            raise ConfigError(f'{where} has no "community"; set it or use version = "3"')
        return Credential(name, version, community=Secret(table["community"]))
    return _read_v3(where, name, table)


def _read_v3(where: str, name: str, table: dict[str, str]) -> Credential:
    if "user" not in table:
        raise ConfigError(f'{where} has no "user"; set it')
    for protocol, key, names in (
        ("auth_protocol", "auth_key", AUTH_NAMES),
        ("privacy_protocol", "privacy_key", PRIVACY_NAMES),
    ):
        if (protocol in table) != (key in table):
            missing, given = (key, protocol) if protocol in table else (protocol, key)
            raise ConfigError(f'{where} has "{given}" but no "{missing}"; set both or neither')
        if protocol in table and table[protocol] not in names:
            raise ConfigError(f'{where} "{protocol}" must be one of {", ".join(names)}')
        if key in table and len(table[key]) < MIN_KEY_CHARACTERS:
            raise ConfigError(f'{where} "{key}" needs {MIN_KEY_CHARACTERS} characters or more')
    if "privacy_key" in table and "auth_key" not in table:
        raise ConfigError(f'{where} has privacy without authentication; set "auth_protocol" too')
    return Credential(
        name,
        "3",
        user=table["user"],
        auth_protocol=table.get("auth_protocol"),
        auth_key=Secret(table["auth_key"]) if "auth_key" in table else None,
        privacy_protocol=table.get("privacy_protocol"),
        privacy_key=Secret(table["privacy_key"]) if "privacy_key" in table else None,
    )
