"""What the agent says to the person at the terminal: answers on stdout, complaints on stderr."""

import sys


def say(text: str) -> None:
    """Write one answer to standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """Write what went wrong to standard error."""
    sys.stderr.write(text + "\n")
