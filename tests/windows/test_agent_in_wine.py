"""The agent on CPython for Windows, under Wine, against a real server: enrol, run, crash, resume."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.support.peers import wait_until
from tests.support.server_process import ServerProcess
from tests.support.wine import WindowsPc, enrolment_token, events, kill_tree, rows

PATIENCE = 60
# What Wine answers to nobody: COM's security classes and the counters of disks. A sensor that gets no
# answer says so in one line, and the others go on.
WINE_LACKS = ("probe lost probe='bitlocker'", "probe lost probe='antivirus'", "disks not read")


def unexpected(said: str) -> list[str]:
    """Return the lines of a log that are not about what Wine lacks."""
    return [line for line in said.splitlines() if not line.startswith(WINE_LACKS)]


def source_of(server: ServerProcess, said: str) -> int:
    """Return the database's id of the source named in ``enrolled as NAME; ...``."""
    name = said.split("enrolled as ")[1].split(";")[0]
    ((source,),) = rows(server, "SELECT id FROM source WHERE public_id = ?", name)
    return int(source)


def section(server: ServerProcess, source: int, name: str) -> list[dict[str, Any]]:
    """Return the rows of one section as the server holds them."""
    found = rows(
        server,
        "SELECT rows_json FROM source_section WHERE source_id = ? AND section = ?",
        source, name,
    )  # fmt: skip
    said: list[dict[str, Any]] = json.loads(found[0][0])
    return said


def test_before_enrolment_it_says_what_to_do(pc: WindowsPc) -> None:
    status, run = pc.agent("status"), pc.agent("run")

    assert "kiemke-agent enroll TOKEN" in status.stdout
    assert run.stderr == "kiemke-agent: not enrolled yet: run kiemke-agent enroll TOKEN\n"
    assert run.returncode == 78
    # Its files lie where Windows keeps those of programs.
    assert (pc.drive / "ProgramData" / "kiemke-agent" / "identity.json").exists()


def test_one_round_brings_a_windows_pc_to_the_server(pc: WindowsPc, server: ServerProcess) -> None:
    state = r"C:\once"
    enrolled = pc.agent("enroll", "-", "--state", state, text=enrolment_token(server))
    once = pc.agent("run", "--once", "--state", state)
    status = pc.agent("status", "--state", state)
    examined = pc.agent("doctor", "--json", "--state", state)

    assert (once.returncode, unexpected(once.stderr)) == (0, [])
    source = source_of(server, enrolled.stdout)
    (system,) = section(server, source, "os")
    assert system["family"] == "windows"
    assert system["build"].split(".")[0] == "18362"  # what Wine says of itself as Windows 10
    (identity,) = section(server, source, "identity")
    assert identity["python_version"] == "3.11.9"
    assert {one["mount_point"] for one in section(server, source, "volumes")} >= {"C:\\"}
    assert events(server, source) == ["boot"]
    assert status.stdout.splitlines()[-1] == "All is well."
    # Sealed for the account that runs; it could be read again by the commands after.
    kept = json.loads((pc.drive / "once" / "identity.json").read_text("utf-8"))
    assert ("secret" in kept, kept["secret_sealed"] != "") == (False, True)
    lines = {one["name"]: one["state"] for one in json.loads(examined.stdout)}
    assert (examined.returncode, set(lines.values()) - {"good", "odd"}) == (0, set()), lines


def test_killed_and_started_again_each_report_counts_once(
    pc: WindowsPc, server: ServerProcess
) -> None:
    """The power fails while the server is away: what waited arrives, once, before what follows."""
    state = r"C:\crash"
    enrolled = pc.agent("enroll", "-", "--state", state, text=enrolment_token(server))
    source = source_of(server, enrolled.stdout)
    outbox = pc.drive / "crash" / "outbox.db"
    server.stop()
    first = pc.start(*pc.agent_words("run", "--spread", "0", "--state", state))
    wait_until(lambda: _waiting(outbox) >= 3, "boot, inventory and sample wait", PATIENCE)
    second = pc.agent("run", "--state", state)
    kill_tree(first)
    server.start()

    once = pc.agent("run", "--once", "--state", state)

    assert "another process is using this folder" in second.stderr
    assert (once.returncode, unexpected(once.stderr)) == (0, [])
    assert _waiting(outbox) == 0
    assert events(server, source) == ["boot"]  # of the first run; the second is the same boot
    streams = rows(server, "SELECT last_seq FROM source_stream WHERE source_id = ?", source)
    assert sorted(seq for (seq,) in streams) == [2, 3]
    assert section(server, source, "os") != []


def _waiting(outbox: Path) -> int:
    """Count the reports in an outbox file another system's process has open."""
    if not outbox.exists():
        return 0
    copy = outbox.with_name("copy.db")
    for suffix in ("", "-wal"):
        if (file := outbox.with_name(outbox.name + suffix)).exists():
            copy.with_name(copy.name + suffix).write_bytes(file.read_bytes())
    try:
        with contextlib.closing(sqlite3.connect(copy)) as db:
            return int(db.execute("SELECT COUNT(*) FROM reports").fetchone()[0])
    except sqlite3.Error:
        return 0  # copied in the midst of a write
