"""A service of Windows that is not enrolled yet waits for its token, see ``wire.patience``."""

from collections.abc import Callable
from pathlib import Path

from kiemke.agent.files import NotEnrolledError
from kiemke.agent.halt import Halt
from kiemke.agent.journal import warn
from kiemke.agent.state import IDENTITY_FILE, TOKEN_FILE
from kiemke.wire import patience


def work_once_enrolled(state: Path, halt: Halt, work: Callable[[], int]) -> int:
    """Return what ``work`` returns, tried anew after each change of identity or token; 0 when halted before."""
    files = [state / name for name in (IDENTITY_FILE, TOKEN_FILE)]
    return patience.work_once_enrolled(work, NotEnrolledError, files, halt.wait, _tell)


def _tell(err: Exception) -> None:
    warn("waiting to be enrolled", reason=str(err))
