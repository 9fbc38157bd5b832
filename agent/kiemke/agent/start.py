"""How `run` becomes the service alone."""

import os
import sys
from collections.abc import Sequence

# What the service is told where nobody says otherwise.
SPREAD_SECONDS = 30.0
OUTBOX_MB = 64.0


def start_over(command: str, words: Sequence[object]) -> None:
    """Become the service alone: no parser of the command line, one malloc heap for all threads.

    That is two megabytes less on every PC. glibc reads MALLOC_ARENA_MAX only at a program's start
    (mallopt(3)); where there is no such thing nothing is done and the caller goes on.
    """
    if sys.platform != "linux" or not sys.executable:
        return
    os.putenv("MALLOC_ARENA_MAX", "1")
    os.putenv("LC_ALL", "C")  # no table of signs is mapped; our own text is UTF-8 whatever it says
    given = len(sys.argv) - 1
    program = sys.orig_argv[1 : len(sys.orig_argv) - given]
    told = [command, *map(str, words)]
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *program, *told])  # noqa: S606
