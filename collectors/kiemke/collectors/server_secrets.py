"""Secrets the server gave this collector: fetched over pinned TLS, kept in one file of mode 0600.

The file lets polling go on after a restart while the server is away. A server that refuses this
collector (revoked) has it deleted.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kiemke.collectors.assignment_client import ask_server
from kiemke.collectors.credentials import Credential, make_credential
from kiemke.collectors.errors import AssignmentError
from kiemke.collectors.files import write_private
from kiemke.wire.client import Credentials
from kiemke.wire.credential import FieldError, check_fields
from kiemke.wire.secret import Secret

SECRETS_PATH = "/api/v1/collector-secrets"
FILE_NAME = "secrets.json"
MAX_SECRETS = 10_000


@dataclass(frozen=True, slots=True)
class ServerSecret:
    """One secret: ``values`` by field name (see ``wire.credential``), of one ``version``."""

    id: int
    version: int
    kind: str
    name: str
    values: Mapping[str, Secret]

    def reveal(self) -> dict[str, str]:
        """Return the values themselves, for the one library call that needs them."""
        return {name: value.reveal() for name, value in self.values.items()}


def credential_name(secret_id: int) -> str:
    """Return the name under which a server's secret stands beside those of the local file."""
    return f"secret {secret_id}"


def fetch_secrets(credentials: Credentials) -> tuple[ServerSecret, ...]:
    """Return the secrets of the devices this collector is to ask. Raises AssignmentError."""
    return read_secrets(ask_server(credentials, SECRETS_PATH))


def read_secrets(data: object) -> tuple[ServerSecret, ...]:
    """Return what the server's JSON (or our own file) holds. Raises AssignmentError, without values."""
    rows = data.get("secrets") if isinstance(data, dict) else None
    if not isinstance(rows, list) or len(rows) > MAX_SECRETS:
        raise AssignmentError("secrets: the answer is no list of secrets")
    found = []
    for position, row in enumerate(rows):
        try:
            found.append(_read_one(row))
        except (FieldError, KeyError, TypeError, AttributeError) as err:
            reason = str(err) if isinstance(err, FieldError) else "something is missing"
            raise AssignmentError(f"secrets[{position}]: {reason}") from None
    return tuple(found)


def _read_one(row: dict[str, object]) -> ServerSecret:
    key, version, values = row["id"], row["version"], row["values"]
    if not isinstance(key, int) or not isinstance(version, int) or not isinstance(values, dict):
        raise TypeError
    kind = str(row["kind"])
    checked = check_fields(kind, values)
    shown = {name: Secret(value) for name, value in checked.items()}
    return ServerSecret(key, version, kind, str(row["name"]), shown)


def save_secrets(state: Path, secrets: Iterable[ServerSecret]) -> None:
    """Keep the secrets for a start without the server, mode 0600. Raises OSError."""
    rows = [
        {"id": each.id, "version": each.version, "kind": each.kind, "name": each.name,
         "values": each.reveal()}
        for each in secrets
    ]  # fmt: skip
    write_private(state / FILE_NAME, json.dumps({"secrets": rows}))


def load_secrets(state: Path) -> tuple[ServerSecret, ...]:
    """Return the kept secrets, none when there are none or the file is damaged."""
    with contextlib.suppress(OSError, ValueError, RecursionError, AssignmentError):
        return read_secrets(json.loads((state / FILE_NAME).read_text("utf-8")))
    return ()


def forget_secrets(state: Path) -> None:
    """Delete what is kept. Raises OSError."""
    (state / FILE_NAME).unlink(missing_ok=True)


def snmp_credentials(secrets: Iterable[ServerSecret]) -> dict[str, Credential]:
    """Return the SNMP ones as credentials, by ``credential_name``; another version, another name."""
    return {
        credential_name(each.id): make_credential(f"secret {each.id}.{each.version}", each.reveal())
        for each in secrets
        if each.kind == "snmp"
    }
