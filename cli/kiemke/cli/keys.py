"""Single keys from the terminal, without Enter; what is typed ahead is not lost."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def single_keys() -> Iterator[Callable[[], str]]:
    """Give a function that waits for one key and returns it in small letters; "" at the end of input.

    The terminal is as before afterwards, whatever happens. Ctrl-C still interrupts.
    """
    if os.name != "posix":
        yield lambda: click.getchar().lower()
        return
    import termios  # there is none of both on Windows
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)  # now: flushing would drop what was typed ahead
        yield lambda: os.read(descriptor, 1).decode("latin-1").lower()
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
