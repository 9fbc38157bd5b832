"""What the agent keeps between its runs: who it is, what the server has, how the last run ended."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kiemke.agent.files import NotEnrolledError, StateError, read_json, write_json

if TYPE_CHECKING:
    from kiemke.wire.client import Credentials
    from kiemke.wire.enrolment import Enrolled, Token
    from kiemke.wire.pin import Pins

IDENTITY_FILE = "identity.json"
MEMORY_FILE = "memory.json"
STATUS_FILE = "status.json"
OUTBOX_FILE = "outbox.db"
TOKEN_FILE = "token"  # noqa: S105 - a file's name: a token that waits for its use


SEALED_WORDS = (
    f"{IDENTITY_FILE}: the secret is sealed for the service's account; leave it the token: "
    "kiemke-agent setup --token TOKEN, and start it again"
)


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """Who this install is. ``source`` is None until it is enrolled. ``secret`` never shows.

    ``secret`` is "" to an account that it was not sealed for.
    """

    install_id: str
    secret: str
    source: str | None = None
    urls: tuple[str, ...] = ()
    ca_current_pem: str | None = None
    ca_next_pem: str | None = None
    sealed: str | None = (
        None  # how the secret stands in the file, where the system seals by account
    )

    def __repr__(self) -> str:
        """Return it without the secret."""
        return f"AgentIdentity(install_id={self.install_id!r}, source={self.source!r})"

    def enrolled(self, token: "Token", answer: "Enrolled") -> "AgentIdentity":
        """Return this identity as the server knows it."""
        return replace(
            self,
            source=answer.source,
            urls=tuple(str(address) for address in token.addresses),
            ca_current_pem=answer.pins.current,
            ca_next_pem=answer.pins.next,
        )

    def with_pins(self, pins: "Pins") -> "AgentIdentity":
        """Return this identity with the server's roots as they are now."""
        return replace(self, ca_current_pem=pins.current, ca_next_pem=pins.next)

    def repinned(self, token: "Token", root_pem: str) -> "AgentIdentity":
        """Return this identity with the root and the addresses of a token, the source unchanged."""
        urls = tuple(str(address) for address in token.addresses)
        return replace(self, urls=urls, ca_current_pem=root_pem, ca_next_pem=None)

    def credentials(self) -> "Credentials":
        """Return what the sender needs. Raises NotEnrolledError."""
        if self.source is None or self.ca_current_pem is None or not self.urls:
            raise NotEnrolledError("not enrolled yet: run kiemke-agent enroll TOKEN")
        if not self.secret:
            raise StateError(SEALED_WORDS)
        # TLS is slow to load, and most commands only look who this install is.
        from kiemke.wire.client import Credentials
        from kiemke.wire.pin import Pins, parse_address

        try:
            addresses = tuple(parse_address(url) for url in self.urls)
        except ValueError as err:
            raise StateError(f"{IDENTITY_FILE}: {err}; enrol again") from err
        pins = Pins(self.ca_current_pem, self.ca_next_pem)
        return Credentials(self.source, self.secret, addresses, pins)


def _opened(sealed: str) -> str:
    """Return a sealed secret, "" to an account that it was not sealed for."""
    # Windows alone seals.
    from kiemke.agent.windows.dpapi import open_sealed

    try:
        return open_sealed(sealed)
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the last run left: section tokens the server has, its boot, whether it ended in order."""

    acked_tokens: dict[str, str] = field(default_factory=dict)
    boot_id: str | None = None
    ended_clean: bool | None = None
    told_update: str | None = None  # the mark of the last word of the updater that was told
    evidence: dict[str, list[str]] = field(default_factory=dict)  # see ``evidence``
    copied_from: str | None = None  # the source whose disk this one's was copied from, to be told


def _text(value: object) -> str | None:
    """Return a non-empty string as it is, anything else as None."""
    return value if isinstance(value, str) and value else None


def _lists(value: object) -> dict[str, list[str]]:
    """Return an object of lists of texts as it is, without what is none."""
    if not isinstance(value, dict):
        return {}
    return {
        str(key): [str(one) for one in some]
        for key, some in value.items()
        if isinstance(some, list)
    }


class StateFolder:
    """The folder of one agent. Methods raise StateError when a file cannot be used."""

    def __init__(self, path: Path) -> None:
        """Use ``path``; nothing is read or made yet."""
        self.path = path

    def prepare(self) -> None:
        """Make the folder, for this account alone. Raises StateError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as err:
            raise StateError(
                f"{self.path}: {err.strerror or err}; run this as root or give --state DIR"
            ) from err

    @property
    def outbox_path(self) -> Path:
        """Return where the outbox is."""
        return self.path / OUTBOX_FILE

    def identity(self) -> AgentIdentity | None:
        """Return who this install is, None when nobody has made it yet."""
        raw = read_json(self.path / IDENTITY_FILE)
        if raw is None:
            return None
        install_id, secret = _text(raw.get("install_id")), _text(raw.get("secret"))
        sealed = _text(raw.get("secret_sealed"))
        if sealed is not None:
            secret = _opened(sealed)
        if install_id is None or secret is None:
            raise StateError(f"{self.path / IDENTITY_FILE}: damaged; remove it and enrol again")
        urls = raw.get("urls")
        return AgentIdentity(
            install_id=install_id,
            secret=secret,
            source=_text(raw.get("source")),
            urls=tuple(str(url) for url in urls) if isinstance(urls, list) else (),
            ca_current_pem=_text(raw.get("ca_current_pem")),
            ca_next_pem=_text(raw.get("ca_next_pem")),
            sealed=sealed,
        )

    def identity_or_new(self) -> AgentIdentity:
        """Return who this install is; made, and durable, at the first call."""
        known = self.identity()
        if known is None:
            # Once in an install's life; the running agent does not carry it.
            from kiemke.wire.enrolment import new_install_id, new_secret

            known = AgentIdentity(new_install_id(), new_secret())
            self.save_identity(known)
        return known

    def save_identity(self, identity: AgentIdentity) -> None:
        """Write who this install is, durably."""
        write_json(
            self.path / IDENTITY_FILE,
            {
                "install_id": identity.install_id,
                **(
                    {"secret": identity.secret}
                    if identity.sealed is None
                    else {"secret_sealed": identity.sealed}
                ),
                "source": identity.source,
                "urls": list(identity.urls),
                "ca_current_pem": identity.ca_current_pem,
                "ca_next_pem": identity.ca_next_pem,
            },
        )

    def memory(self) -> Memory:
        """Return what the last run left; a damaged file is forgotten: it only saves work."""
        try:
            raw = read_json(self.path / MEMORY_FILE) or {}
        except StateError:
            return Memory()
        tokens = raw.get("acked_tokens")
        ended_clean = raw.get("ended_clean")
        return Memory(
            acked_tokens=(
                {str(name): str(token) for name, token in tokens.items()}
                if isinstance(tokens, dict)
                else {}
            ),
            boot_id=_text(raw.get("boot_id")),
            ended_clean=ended_clean if isinstance(ended_clean, bool) else None,
            told_update=_text(raw.get("told_update")),
            evidence=_lists(raw.get("evidence")),
            copied_from=_text(raw.get("copied_from")),
        )

    def save_memory(self, memory: Memory) -> None:
        """Write what the next run should know."""
        write_json(
            self.path / MEMORY_FILE,
            {
                "acked_tokens": memory.acked_tokens,
                "boot_id": memory.boot_id,
                "ended_clean": memory.ended_clean,
                "told_update": memory.told_update,
                "evidence": memory.evidence,
                "copied_from": memory.copied_from,
            },
        )

    def status(self) -> dict[str, str]:
        """Return what the running agent last said of itself, by key; empty when it never ran."""
        try:
            raw = read_json(self.path / STATUS_FILE) or {}
        except StateError:
            return {}
        return {str(key): str(value) for key, value in raw.items()}

    def save_status(self, status: dict[str, str]) -> None:
        """Write how the agent is doing, for the status command."""
        write_json(self.path / STATUS_FILE, status, durable=False)
