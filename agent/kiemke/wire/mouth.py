"""Writing to a terminal, a pipe or a file in any language."""

import sys


def open_mouth() -> None:
    """Let what is written be Vietnamese wherever it goes: a pipe of Windows has an old code page."""
    for stream in (sys.stdout, sys.stderr):
        if sys.platform == "win32" and not stream.isatty() and hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
