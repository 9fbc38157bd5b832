"""What the agent says to the person at the terminal: answers on stdout, complaints on stderr."""

import io
import sys


def speak_utf8() -> None:
    """Make the streams UTF-8 where they are pipes or files of a Windows.

    There Python would write in the PC's old code page, which has no letters for most of what is told;
    a console is given Unicode as it is. Elsewhere nothing is done.
    """
    if sys.platform == "win32":
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and not stream.isatty():
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """Write one answer to standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """Write what went wrong to standard error."""
    sys.stderr.write(text + "\n")
