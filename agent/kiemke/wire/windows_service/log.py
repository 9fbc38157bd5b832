"""A log file that never grows beyond its bound: the newest half of what was said is kept."""

import io
from pathlib import Path

MOST_BYTES = 512 * 1024


class CappedLog(io.TextIOBase):
    """A text stream into a file; when it is full, one older file beside it is replaced."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        """Append to ``path``; each of the two files holds ``most_bytes`` or a little more."""
        self._path = path
        self._most_bytes = most_bytes
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def writable(self) -> bool:
        """Tell that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Write; a disk that cannot costs a line of the log, never the service."""
        try:
            if self._file.tell() > self._most_bytes:
                self._file.close()
                self._path.replace(self._path.with_name(self._path.name + ".old"))
                self._file = self._path.open("a", encoding="utf-8", buffering=1)
            self._file.write(text)
        except (OSError, ValueError):
            pass  # ValueError: a full disk kept the file from being opened anew
        return len(text)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
        super().close()
