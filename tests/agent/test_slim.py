"""What the agent gives back after its start is code that the file still holds, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from kiemke.agent.slim import clean_parts

MAPS = """\
55d0c000-55d0d000 r--p 00000000 08:01 77 /usr/bin/python3.11
Rss: 4 kB
Anonymous: 0 kB
55d0d000-55d0f000 r-xp 00001000 08:01 77 /usr/bin/python3.11
Anonymous: 0 kB
VmFlags: rd ex mr mw me
55d0f000-55d10000 r--p 00003000 08:01 77 /usr/bin/python3.11
Anonymous: 4 kB
55d10000-55d11000 rw-p 00004000 08:01 77 /usr/bin/python3.11
Anonymous: 0 kB
55d11000-55d12000 rw-p 00000000 00:00 0 [heap]
Anonymous: 4 kB
7ffd0000-7ffd2000 r-xp 00000000 00:00 0 [vdso]
Anonymous: 0 kB
7ffe0000-7ffe1000 r--p 00000000 00:00 0
Anonymous: 0 kB
7fff0000-7fff1000 r--p 00000000 08:01 78 /usr/lib/x (deleted)
Anonymous: 0 kB
"""
SCRIPT = """
import sqlite3, ssl
from pathlib import Path
from kiemke.agent.slim import give_back
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])
before = resident()
assert give_back()
print(before - resident() > 500)
assert sqlite3.connect(":memory:").execute("SELECT 6 * 7").fetchone() == (42,)
ssl.create_default_context(cadata=None).load_default_certs()
import json, decimal
print(json.dumps(str(decimal.Decimal(1) / 3)))
"""


def test_only_what_nobody_can_write_and_nobody_has_written_is_given_back() -> None:
    parts = clean_parts(MAPS)

    assert parts == [(0x55D0C000, 0x1000), (0x55D0D000, 0x2000), (0x7FFF0000, 0x1000)]
    assert clean_parts("") == []


@pytest.mark.skipif(sys.platform != "linux", reason="smaps are Linux's")
def test_a_process_lives_on_without_the_pages_it_gave_back() -> None:
    root = str(Path(__file__).parents[2] / "agent")
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {root!r})\n{SCRIPT}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True", '"0.3333333333333333333333333333"']
