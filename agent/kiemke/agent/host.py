"""The machine a sensor looks at: the running one, or a recording of its files under another root."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kiemke.wire.clocks import now_utc

if TYPE_CHECKING:
    from kiemke.agent.windows.port import Windows

MAX_FILE_BYTES = 64 << 20  # a dpkg status file of a very full machine is 20 MB


@dataclass(frozen=True, slots=True)
class Host:
    """Where a machine's files are (``root``), which install looks at them, and what time it is.

    ``folder`` is the agent's own, where an office may have put tables; ``windows`` what answers for a
    Windows, None on other systems; ``off`` what of persons is not to be told (see ``privacy``).
    """

    root: Path = Path("/")
    install_id: str = ""
    now: Callable[[], datetime] = now_utc
    folder: Path | None = None
    windows: "Windows | None" = None
    off: frozenset[str] = frozenset()

    @property
    def is_live(self) -> bool:
        """Tell whether this is the running machine, which can also be asked, not only read."""
        return self.root == Path("/")

    def path(self, *parts: str) -> Path:
        """Return the path of ``parts`` under this host's root."""
        return self.root.joinpath(*parts)

    def text(self, *parts: str) -> str | None:
        """Return a file's text without surrounding blanks.

        None when it is absent, empty, not allowed or not readable now (sysfs answers EINVAL for a
        speed of a link that is down). Bytes that are no UTF-8 become U+FFFD. A Windows has none of
        these files, whatever stands at their places.
        """
        if self.windows is not None:
            return None
        try:
            with self.path(*parts).open("rb") as file:
                raw = file.read(MAX_FILE_BYTES)
        except OSError:
            return None
        return raw.decode("utf-8", "replace").strip("\0 \t\r\n") or None

    def number(self, *parts: str) -> int | None:
        """Return a file's decimal number; None when it holds none."""
        text = self.text(*parts)
        try:
            return None if text is None else int(text)
        except ValueError:
            return None

    def names(self, *parts: str) -> list[str]:
        """Return the sorted names in a folder; empty when it is absent or not allowed."""
        if self.windows is not None:
            return []
        try:
            return sorted(entry.name for entry in self.path(*parts).iterdir())
        except OSError:
            return []

    def real_path(self, *parts: str) -> str:
        """Return the path under the root with links followed, "/"-separated, root left out."""
        path = self.path(*parts).resolve()
        try:
            return "/" + path.relative_to(self.root.resolve()).as_posix()
        except ValueError:  # a link that points out of the recording
            return path.as_posix()


def open_host(root: Path, install_id: str, folder: Path | None) -> Host:
    """Return the host under ``root``; the running machine, where it is a Windows, with its answers."""
    windows: Windows | None = None
    if sys.platform == "win32" and root == Path("/"):
        # Only Windows can load it.
        from kiemke.agent.windows.live import LiveWindows

        windows = LiveWindows()
    # Read here, beside the sensors: the agent's own process need not carry it.
    from kiemke.agent.privacy import read_off

    return Host(
        root=root, install_id=install_id, folder=folder, windows=windows, off=read_off(folder)
    )
