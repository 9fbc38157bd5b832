"""The first command of the README on a small slice: a real server, agent and collector, true figures."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.peers import wait_until

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 280


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, dict[str, object]]:
    """Return the exit status, the words and the summary of one demo with three communes."""
    folder = tmp_path_factory.mktemp("demo")
    summary = folder / "summary.json"
    command = [
        sys.executable, "-m", "bench.demo", "--once", "--communes", "3", "--no-snmpd",
        "--folder", str(folder / "data"), "--json", str(summary),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS,
        stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "120"},
    )  # fmt: skip
    assert summary.exists(), done.stdout + done.stderr
    return done.returncode, done.stdout, json.loads(summary.read_text())


def test_every_figure_is_the_one_the_generator_knows(
    demo: tuple[int, str, dict[str, object]],
) -> None:
    status, words, summary = demo

    assert summary["differences"] == [], words
    assert status == 0


def test_forty_made_up_pcs_and_every_other_stranger_is_found_and_counts_nowhere(
    demo: tuple[int, str, dict[str, object]],
) -> None:
    strangers = demo[2]["strangers"]
    assert isinstance(strangers, dict)

    assert (strangers["made_up"], strangers["private"], strangers["cloned_uuid"]) == (40, 2, 2)
    assert min(strangers.values()) > 0
    assert "all found, none counts" in demo[1]


def test_declared_coverage_of_the_offices_is_all_of_120(
    demo: tuple[int, str, dict[str, object]],
) -> None:
    coverage = demo[2]["coverage"]
    assert isinstance(coverage, dict)
    seen = coverage["TG-CQ"]["seen"]

    assert (sum(seen.values()), seen["no_pc"]) == (120, 0)
    assert seen["contradicted"] == 2


def test_each_planted_line_is_degraded_and_the_others_are_not(
    demo: tuple[int, str, dict[str, object]],
) -> None:
    links = demo[2]["links"]
    assert isinstance(links, dict)
    degraded = {code for code, link in links.items() if link["verdict"] == "degraded"}

    assert degraded == {"TG-X01-INT", "TG-X02-INT", "TG-X03-INT"}


def test_what_it_prints_is_marked_as_sample_data(
    demo: tuple[int, str, dict[str, object]],
) -> None:
    words = demo[1]

    assert words.count("DỮ LIỆU MẪU") >= 4
    assert "120/120 = 100 %" in words
    assert "https://127.0.0.1:" in words


def _programs_of(folder: Path) -> list[str]:
    """Return the command lines of the programs that work in ``folder``, found in /proc."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if str(folder).encode() in environment + command:
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_ctrl_c_ends_every_program_it_started(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.demo", "--communes", "3", "--folder", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as demo:  # fmt: skip
        try:
            enrolled = tmp_path / "agent" / "identity.json"
            wait_until(enrolled.exists, "the agent is enrolled", 90.0)
            assert any("kiemke-server" in words for words in _programs_of(tmp_path))
            demo.send_signal(signal.SIGINT)
            words, _ = demo.communicate(timeout=90)
        finally:
            demo.kill()

    assert "Ended." in words
    assert demo.returncode == 0
    assert _programs_of(tmp_path) == []


def test_a_second_demo_in_one_folder_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-m", "bench.demo", "--once", "--folder", str(tmp_path)],
            cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    assert done.returncode == 1
    assert "Another demo" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
