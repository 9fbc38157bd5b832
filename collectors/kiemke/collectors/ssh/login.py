"""How to be let in by SSH, and what can go wrong: each its own outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kiemke.collectors.credentials import read_sections
from kiemke.collectors.errors import ConfigError, PollError
from kiemke.wire.report import SSH_OUTCOMES
from kiemke.wire.secret import Secret


@dataclass(frozen=True, slots=True)
class SshCredential:
    """An account: a password, a private key (OpenSSH or PEM) or both; ``enable_password`` for a second step."""

    user: str
    password: Secret | None = None
    private_key: Secret | None = None
    enable_password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """Where to log in; ``address`` is an IP address.

    ``host_key`` is the only key to believe, as the server tells it; None: the collector's own pin, or
    else the first that is shown.
    """

    address: str
    port: int = 22
    host_key: str | None = None


class SshError(PollError):
    """A session failed. ``outcome`` is one of SSH_OUTCOMES but "ok"; ``host_key`` that was refused."""

    def __init__(self, host: str, outcome: str, detail: str, host_key: str | None = None) -> None:
        super().__init__(host, detail)
        if outcome not in SSH_OUTCOMES:
            raise ValueError(f"{outcome}: no outcome")
        self.outcome = outcome
        self.host_key = host_key


KEYS = ("user", "password", "private_key", "enable_password")


def make_ssh_credential(fields: Mapping[str, object], where: str) -> SshCredential:
    """Return the credential of a section. Raises ConfigError that shows no value."""
    strange = sorted(fields.keys() - {"kind", *KEYS})
    if strange:
        raise ConfigError(f'{where} unknown key "{strange[0]}"; known: {", ".join(KEYS)}')
    secrets: dict[str, Secret] = {}
    for name in KEYS:
        value = fields.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or not value:
            raise ConfigError(f'{where} "{name}" must be text in quotes, and not empty')
        secrets[name] = Secret(value)
    if "user" not in secrets:
        raise ConfigError(f'{where} has no "user"; set it')
    if not {"password", "private_key"} & secrets.keys():
        raise ConfigError(f'{where} has neither "password" nor "private_key"; set one')
    user = secrets.pop("user").reveal()
    return SshCredential(user, **secrets)


def read_ssh_credentials(path: Path) -> dict[str, SshCredential]:
    """Return the sections with ``kind = "ssh"`` of credentials.toml. Raises ConfigError."""
    return {
        name: make_ssh_credential(table, f"{path}: [{name}]")
        for name, table in read_sections(path).items()
        if isinstance(table, dict) and table.get("kind") == "ssh"
    }
