"""How this program is called, for the children it starts."""

import sys
from pathlib import Path


def own_command(*words: str) -> list[str]:
    """Return the command that runs this very program with ``words``."""
    if getattr(sys, "frozen", False):  # a packed executable has no -m
        return [sys.executable, *words]
    # Not -m: a package of a distribution lies where its interpreter does not look by itself.
    root = str(Path(__file__).resolve().parents[2])
    start = f"import sys; sys.path.insert(0, {root!r}); from kiemke.agent.main import main"
    return [sys.executable, "-c", f"{start}; sys.exit(main({list(words)!r}))"]
