"""A service that is not enrolled yet stays, and begins as soon as somebody enrols it.

An installer takes a service that ends at once for one that cannot be started, and takes everything back;
and who enrols the machine later need not start anything.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

LOOK_SECONDS = 5.0
Mark = tuple[int, int] | None  # when it was written and how long it is


def work_once_enrolled(
    work: Callable[[], int],
    missing: type[Exception],
    files: Sequence[Path],
    wait: Callable[[float], bool],
    tell: Callable[[Exception], None],
) -> int:
    """Return what ``work`` returns; while it raises ``missing`` it is tried anew whenever a file changed.

    ``wait`` waits so many seconds and says whether to end, which returns 0; ``tell`` is told each refusal.
    """
    while True:
        # Before the try: what is left while it runs is not missed.
        before = [_mark(file) for file in files]
        try:
            return work()
        except missing as err:
            tell(err)
        while [_mark(file) for file in files] == before:
            if wait(LOOK_SECONDS):
                return 0


def _mark(file: Path) -> Mark:
    try:
        about = file.stat()
    except OSError:
        return None
    return (about.st_mtime_ns, about.st_size)
