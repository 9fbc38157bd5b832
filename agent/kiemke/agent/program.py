"""How this program is called, for the children it starts."""

import sys


def own_command(*words: str) -> list[str]:
    """Return the command that runs this very program with ``words``."""
    if getattr(sys, "frozen", False):  # a packed executable has no -m
        return [sys.executable, *words]
    return [sys.executable, "-m", "kiemke.agent.main", *words]
