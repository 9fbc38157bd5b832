"""What the whole line is let into: a switch by SSH, its secrets, and the collectors that hold them."""

import contextlib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ssh_devices import Played, playing, read_recording

# Every kind of secret, each to be found nowhere in plain text but with its device and its collectors.
PLANTED = {
    "community": "canary-4f1b-community",
    "auth_key": "canary-8a2e-auth-key",
    "privacy_key": "canary-91c7-privacy-key",
    "ssh_password": "canary-c3d0-ssh-password",
    "enable_password": "canary-55aa-enable",
    "wrong_password": "canary-77b1-wrong-password",
}


@dataclass(slots=True)
class Collector:
    """A running collector and its state folder."""

    state: Path
    process: "subprocess.Popen[bytes]"

    @property
    def source(self) -> str:
        """Return the id the server gave it."""
        said: str = json.loads((self.state / "enrolment.json").read_text())["source"]
        return said

    def kept(self) -> set[str]:
        """Return which planted secrets stand in its state folder."""
        texts = [file.read_bytes() for file in self.state.rglob("*") if file.is_file()]
        return {
            name for name, value in PLANTED.items() if any(value.encode() in text for text in texts)
        }

    def remembered(self) -> set[str]:
        """Return which planted secrets stand in the memory of its process."""
        found: set[str] = set()
        own = Path(f"/proc/{self.process.pid}")
        areas = [row.split() for row in (own / "maps").read_text().splitlines()]
        with (own / "mem").open("rb", buffering=0) as memory:
            for first, _, last in (row[0].partition("-") for row in areas if row[1][:2] == "rw"):
                with contextlib.suppress(OSError, ValueError, OverflowError):  # the kernel's own
                    memory.seek(int(first, 16))
                    piece = memory.read(int(last, 16) - int(first, 16))
                    found |= {name for name, value in PLANTED.items() if value.encode() in piece}
        return found


@dataclass(slots=True)
class Gear:
    """A switch that is visited by SSH; its port stays when it shows another host key."""

    played: Played = field(
        default_factory=lambda: Played(
            read_recording("cisco_ios"),
            enabled=False,
            password=PLANTED["ssh_password"],
            enable_password=PLANTED["enable_password"],
        )
    )
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def start(self) -> None:
        """Start it with a new host key."""
        self.running.close()
        self.running.enter_context(playing(self.played))
