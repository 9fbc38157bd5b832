"""A service that is not enrolled yet stays, and begins as soon as somebody enrols it.

An installer takes a service that ends at once for one that cannot be started, and takes everything back;
and who enrols the PC later need not start anything.
"""

from collections.abc import Callable
from pathlib import Path

from kiemke.agent.files import NotEnrolledError
from kiemke.agent.halt import Halt
from kiemke.agent.journal import warn
from kiemke.agent.state import IDENTITY_FILE, TOKEN_FILE

LOOK_SECONDS = 5.0
Mark = tuple[int, int] | None  # when it was written and how long it is


def work_once_enrolled(state: Path, halt: Halt, work: Callable[[], int]) -> int:
    """Return what ``work`` returns, tried anew after each change of identity or token; 0 when halted before."""
    while True:
        # Before the try: what is left while it runs is not missed.
        before = _marks(state)
        try:
            return work()
        except NotEnrolledError as err:
            warn("waiting to be enrolled", reason=str(err))
        while _marks(state) == before:
            if halt.wait(LOOK_SECONDS):
                return 0


def _marks(state: Path) -> tuple[Mark, ...]:
    """Return what tells whether somebody has enrolled this PC, or left it a token."""
    return tuple(_mark(state / name) for name in (IDENTITY_FILE, TOKEN_FILE))


def _mark(file: Path) -> Mark:
    try:
        about = file.stat()
    except OSError:
        return None
    return (about.st_mtime_ns, about.st_size)
