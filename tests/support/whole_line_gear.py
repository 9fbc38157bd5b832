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
