"""The host keys of devices: pinned at first contact, in the state folder, and asked for ever after."""

import json
import threading
from base64 import b64encode
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.files import write_private
from kiemke.wire.host_key import LONGEST, fingerprint_of, split_key

FILE_NAME = "hostkeys.json"


@dataclass(frozen=True, slots=True)
class Pinned:
    """One host's key: OpenSSH's name of its type, the public key in base64, since when it is believed."""

    type: str
    key: str
    fingerprint: str
    pinned_at: str

    @classmethod
    def of(cls, kind: str, key: bytes) -> "Pinned":
        """Return a key as it is believed from now on."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(kind, b64encode(key).decode(), fingerprint_of(key), now)

    @property
    def line(self) -> str | None:
        """Return the key as it travels, None when it is too long for that."""
        text = f"{self.type} {self.key}"
        return text if len(text) <= LONGEST else None


def as_pinned(line: str) -> Pinned:
    """Return a key as the server tells it. Raises ValueError for what is none."""
    return Pinned.of(*split_key(line))


def host_name(address: str, port: int) -> str:
    """Return how a host is called in the file: ADDRESS, or [ADDRESS]:PORT beside port 22."""
    return address if port == 22 else f"[{address}]:{port}"


class HostKeys:
    """The file of pins; read anew for each use, so that ``hostkey forget`` works beside a run."""

    _writing = threading.Lock()

    def __init__(self, state: Path) -> None:
        self._path = state / FILE_NAME

    def all(self) -> dict[str, Pinned]:
        """Return the pins by host. Raises ConfigError for a damaged file: it is never guessed anew."""
        try:
            said = json.loads(self._path.read_text("utf-8"))
            return {str(host): Pinned(**row) for host, row in said.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as err:
            raise ConfigError(
                f"{self._path}: not readable ({type(err).__name__}); put back a copy, or delete it "
                "and compare the keys that are pinned then with the devices' own"
            ) from err

    def pin(self, host: str, key_type: str, key: bytes) -> Pinned:
        """Believe a key from now on. Raises ConfigError when it cannot be kept."""
        pinned = Pinned.of(key_type, key)
        with self._writing:
            self._write(self.all() | {host: pinned})
        return pinned

    def forget(self, name: str) -> list[str]:
        """Forget a host's keys, of all its ports; return what was forgotten. Raises ConfigError."""
        with self._writing:
            pins = self.all()
            gone = [host for host in pins if name == host or host.startswith(f"[{name}]:")]
            if gone:
                self._write({host: pin for host, pin in pins.items() if host not in gone})
        return gone

    def _write(self, pins: dict[str, Pinned]) -> None:
        try:
            write_private(
                self._path,
                json.dumps({host: asdict(pin) for host, pin in sorted(pins.items())}, indent=1),
            )
        except OSError as err:
            raise ConfigError(f"{self._path}: cannot be written ({err.strerror})") from err
