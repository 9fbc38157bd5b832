"""Gives back the memory of code that only the start and the first post needed.

The interpreter, OpenSSL and SQLite are mapped from their files; what of them was read once stays in a process's
pages as long as it runs. Given back, it is the system's cache again: what is needed after all comes from there
without a read of the disk. Nothing of the agent's own data is touched.
"""

import sys
from pathlib import Path

DONT_NEED = 4  # MADV_DONTNEED, madvise(2)
MAPS = "/proc/self/smaps"  # proc(5)
READ_ONLY = ("r-xp", "r--p")


def give_back() -> bool:
    """Give back what may be; return whether the system took it. Never raises: it only costs memory."""
    try:
        return _windows() if sys.platform == "win32" else _linux()
    # ctypes may be absent, or shut out by a hardened system (MemoryError).
    except (ImportError, OSError, MemoryError, ValueError, AttributeError):
        return False


def clean_parts(smaps: str) -> list[tuple[int, int]]:
    """Return (address, bytes) of the mapped files' parts that nobody can write and nobody has written.

    Those alone are the same in the file: a relocated page ("Anonymous: 4 kB") would be lost.
    """
    found: list[tuple[int, int]] = []
    part: tuple[int, int] | None = None
    for line in smaps.splitlines():
        words = line.split()
        if not words:
            continue
        if not words[0].endswith(
            ":"
        ):  # the head of the next part: 7f0..-7f1.. r-xp 0 08:01 77 /usr/lib/x.so
            part = None
            if len(words) > 5 and words[1] in READ_ONLY and words[5].startswith("/"):
                begin, end = (int(one, 16) for one in words[0].split("-"))
                part = (begin, end - begin)
        elif words[0] == "Anonymous:" and part is not None:
            if words[1] == "0":
                found.append(part)
            part = None
    return found


def _linux() -> bool:
    # Once a day; its own code is given back with the rest.
    import ctypes

    parts = clean_parts(Path(MAPS).read_text("utf-8", "replace"))
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return bool(parts) and all([advise(at, size, DONT_NEED) == 0 for at, size in parts])


def _windows() -> bool:
    """Let Windows trim the working set; what is used comes back from its standby list."""
    # Windows alone has it.
    import ctypes

    from kiemke.agent.windows.live import library

    kernel = library("kernel32")
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    trim = kernel.SetProcessWorkingSetSize
    trim.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
    all_of_it = ctypes.c_size_t(-1).value
    return bool(trim(kernel.GetCurrentProcess(), all_of_it, all_of_it))
