"""The collector's state folder: who it is to its server, what waits in the outbox, what it knows."""

import json
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from kiemke.collectors.errors import ConfigError, NotEnrolledError, RevokedError
from kiemke.collectors.files import write_private
from kiemke.wire.client import Credentials
from kiemke.wire.enrolment import (
    EnrolmentError,
    Token,
    enrol,
    fetch_root,
    new_install_id,
    new_secret,
)
from kiemke.wire.pin import Address, Pins
from kiemke.wire.secret import Secret
from kiemke.wire.windows_service.folders import program_data

LINUX_STATE = Path("/var/lib/kiemke-collector")
ENROLMENT_FILE = "enrolment.json"
OUTBOX_FILE = "outbox.sqlite"
STATUS_FILE = "status.json"
REVOKED = "revoked"
REVOKED_WORDS = (
    "the server revoked this collector: it asks no device any more and has deleted every credential, "
    "credentials.toml too; only a new token lets it in again: kiemke-collector enroll TOKEN"
)


def default_state() -> Path:
    """Return the folder of the collector's own files: below ProgramData on Windows."""
    if sys.platform == "win32":
        return program_data() / "kiemke-collector"
    return LINUX_STATE


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What this install is called and how it knows its server; ``source`` None before the answer."""

    install_id: str
    secret: Secret
    source: str | None = None
    server_state: str | None = None
    addresses: tuple[Address, ...] = ()
    pins: Pins | None = field(default=None, repr=False)

    def credentials(self) -> Credentials:
        """Return what the wire's sender needs. Raises NotEnrolledError, RevokedError when revoked."""
        if self.server_state == REVOKED:
            raise RevokedError(REVOKED_WORDS)
        if self.source is None or self.pins is None or not self.addresses:
            raise NotEnrolledError(
                "this collector is not enrolled: run kiemke-collector enroll TOKEN"
            )
        return Credentials(self.source, self.secret.reveal(), self.addresses, self.pins)


def make_state(state: Path) -> None:
    """Make the state folder, for its owner alone. Raises ConfigError."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as err:
        raise ConfigError(
            f"{state}: cannot be made ({err.strerror}); choose another with --state"
        ) from err
    if not os.access(state, os.W_OK):
        raise ConfigError(f"{state}: not writable by this user; choose another with --state")


def load_enrolment(state: Path) -> Enrolment:
    """Return the enrolment of this state folder. Raises ConfigError when there is none to use."""
    path = state / ENROLMENT_FILE
    try:
        said = json.loads(path.read_text("utf-8"))
        pins = said.get("pins")
        return Enrolment(
            install_id=said["install_id"],
            secret=Secret(said["secret"]),
            source=said["source"],
            server_state=said["server_state"],
            addresses=tuple(Address(host, port) for host, port in said["addresses"]),
            pins=Pins(pins["current"], pins.get("next")) if pins else None,
        )
    except FileNotFoundError as err:
        raise NotEnrolledError(
            f"{state}: not enrolled; run kiemke-collector --state {state} enroll TOKEN"
        ) from err
    except PermissionError as err:
        raise ConfigError(f"{path}: not readable by this user; run as its owner") from err
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise ConfigError(f"{path}: damaged ({type(err).__name__}); delete it and enrol") from None


def save_enrolment(state: Path, enrolment: Enrolment) -> None:
    """Write the enrolment, mode 0600. Raises OSError."""
    pins = enrolment.pins
    said = {
        "install_id": enrolment.install_id,
        "secret": enrolment.secret.reveal(),
        "source": enrolment.source,
        "server_state": enrolment.server_state,
        "addresses": [[address.host, address.port] for address in enrolment.addresses],
        "pins": {"current": pins.current, "next": pins.next} if pins else None,
    }
    write_private(state / ENROLMENT_FILE, json.dumps(said))


def keep_pins(state: Path, pins: Pins) -> None:
    """Keep the server's roots as they are now. Raises ConfigError."""
    try:
        save_enrolment(state, replace(load_enrolment(state), pins=pins))
    except OSError as err:
        raise ConfigError(f"{state}: cannot be written ({err.strerror})") from err


def repin_here(state: Path, token: Token) -> Enrolment:
    """Believe a token's root from now on; the collector stays the one it is. Raises ConfigError."""
    known = load_enrolment(state)
    known.credentials()
    try:
        pinned = replace(known, pins=Pins(fetch_root(token)), addresses=token.addresses)
        save_enrolment(state, pinned)
    except EnrolmentError as err:
        raise ConfigError(str(err)) from err
    except OSError as err:
        raise ConfigError(f"{state}: cannot be written ({err.strerror})") from err
    return pinned


def enrol_here(state: Path, token: Token) -> Enrolment:
    """Enrol this collector and keep the answer.

    Our id and secret are written before the server is asked, and used again the next time: an answer
    that was lost costs nothing. Raises ConfigError with the server's own words.
    """
    make_state(state)
    try:
        known = load_enrolment(state)
    except ConfigError:
        known = Enrolment(new_install_id(), Secret(new_secret()))
    try:
        if known.source is None:
            save_enrolment(state, known)
        answer = enrol(token, known.install_id, known.secret.reveal(), "collector")
        enrolled = Enrolment(
            known.install_id,
            known.secret,
            answer.source,
            answer.state,
            token.addresses,
            answer.pins,
        )
        save_enrolment(state, enrolled)
    except EnrolmentError as err:
        raise ConfigError(str(err)) from err
    except OSError as err:
        raise ConfigError(f"{state}: cannot be written ({err.strerror})") from err
    return enrolled
