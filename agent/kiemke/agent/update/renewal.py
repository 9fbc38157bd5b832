"""What the running agent does for its renewal: a child looks for a release, news of one are told."""

import subprocess
from pathlib import Path

from kiemke.agent.files import StateError, read_json
from kiemke.agent.journal import warn
from kiemke.agent.program import own_command
from kiemke.agent.update.places import OUTCOME_FILE, default_updater, trusts_nobody
from kiemke.wire.chance import Chance, SystemChance
from kiemke.wire.report import Event

FIRST_WITHIN_SECONDS = 4 * 3600.0  # PCs that are switched on together do not fetch together
EVERY_SECONDS = 12 * 3600.0


class Renewal:
    """Starts the fetching child twice a day, where a key is trusted; never installs anything itself."""

    def __init__(
        self, state: Path, updater: Path | None = None, chance: Chance | None = None
    ) -> None:
        """Look into the updater's folder, by default this system's; nothing is started yet."""
        self._state = state
        self._updater = default_updater() if updater is None else updater
        self._chance = chance or SystemChance()
        self._due_seconds: float | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def look(self, awake_seconds: float) -> None:
        """Start the child when it is time; what it finds lies in the state folder afterwards."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        if self._due_seconds is None:
            self._due_seconds = awake_seconds + self._chance.uniform(0.0, FIRST_WITHIN_SECONDS)
        if awake_seconds < self._due_seconds or self._child is not None:
            return
        self._due_seconds = awake_seconds + EVERY_SECONDS
        if trusts_nobody(self._updater):
            return
        words = ("update", "fetch", "--state", str(self._state), "--updater", str(self._updater))
        try:
            self._child = subprocess.Popen(  # noqa: S603 - this very program
                own_command(*words),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows alone has it
            )  # fmt: skip
        except OSError as err:
            warn("release not looked for", reason=str(err))

    def news(self, told: str | None) -> tuple[str, Event] | None:
        """Return the updater's last word and its event, None when it said nothing since ``told``."""
        file = self._updater / OUTCOME_FILE
        if not file.exists():
            return None
        try:
            said = read_json(file) or {}
        except StateError:
            return None
        mark, detail = said.get("mark"), said.get("detail")
        if not isinstance(mark, str) or mark == told or not isinstance(detail, dict):
            return None
        return mark, Event("update", {str(key): str(value) for key, value in detail.items()})
