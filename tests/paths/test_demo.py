"""The first command of the README on a small slice: a real server, agent and collector, true figures."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.peers import wait_until

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 280


@dataclass(frozen=True, slots=True)
class Demo:
    """One demo with three communes, ended by Ctrl-C once it lived on by itself."""

    status: int
    words: str
    summary: dict[str, object]
    running: list[str]  # the command lines of its programs before Ctrl-C, and of those after
    left: list[str]


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


def _command_of(process: int) -> str:
    """Return the command line of a process, nothing when it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text("utf-8").replace("\0", " ")
    except OSError:
        return ""


def _heed_interrupts() -> None:
    """A suite that was begun in the background ignores Ctrl-C, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _children_of(parent: int) -> dict[int, str]:
    """Return {process id: command line} of what a process started itself."""
    lists = [file.read_text() for file in Path(f"/proc/{parent}/task").glob("*/children")]
    return {int(process): _command_of(int(process)) for process in " ".join(lists).split()}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run the demo until it lives on, end it as a person does."""
    folder = tmp_path_factory.mktemp("demo")
    data, summary, printed = folder / "data", folder / "summary.json", folder / "words"
    command = [
        sys.executable, "-m", "bench.demo", "--communes", "3", "--no-snmpd",
        "--folder", str(data), "--json", str(summary),
    ]  # fmt: skip
    with printed.open("wb") as out, subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        env={**os.environ, "COLUMNS": "120"}, preexec_fn=_heed_interrupts,  # no threads here
    ) as running:  # fmt: skip
        try:

            def lives_on_or_ended() -> bool:
                return b"Ctrl-C ends it" in printed.read_bytes() or running.poll() is not None

            wait_until(lives_on_or_ended, "the demo lives on", DEADLINE_SECONDS, 0.2)
            programs = _children_of(running.pid) if running.poll() is None else {}
            running.send_signal(signal.SIGINT)
            status = running.wait(90)
        finally:
            running.kill()
    words = printed.read_text("utf-8")
    assert summary.exists(), words
    left = [was for process, was in programs.items() if was and _command_of(process) == was]
    return Demo(
        status, words, json.loads(summary.read_text()),
        list(programs.values()), left + _programs_of(data),
    )  # fmt: skip


def test_every_figure_is_the_one_the_generator_knows(
    demo: Demo,
) -> None:
    assert demo.summary["differences"] == [], demo.words


def test_forty_made_up_pcs_and_every_other_stranger_is_found_and_counts_nowhere(
    demo: Demo,
) -> None:
    strangers = demo.summary["strangers"]
    assert isinstance(strangers, dict)

    assert (strangers["made_up"], strangers["private"], strangers["cloned_uuid"]) == (40, 2, 2)
    assert min(strangers.values()) > 0
    assert "all found, none counts" in demo.words


def test_a_stock_take_is_closed_with_its_differences_and_another_is_open(demo: Demo) -> None:
    takes = demo.summary["stock_takes"]
    assert isinstance(takes, dict)

    closed, still_open = takes["TG-NV"], takes["TG-X01"]
    found = {state: n for state, n in closed["lines"].items() if n and state != "agrees"}
    assert (closed["state"], found) == ("closed", {"missing": 1, "elsewhere": 1, "surplus": 1})
    assert (still_open["state"], still_open["lines"]["unanswered"] > 0) == ("open", True)
    assert "thiếu · missing" in demo.words


def test_declared_coverage_of_the_offices_is_all_of_120(
    demo: Demo,
) -> None:
    coverage = demo.summary["coverage"]
    assert isinstance(coverage, dict)
    seen = coverage["TG-CQ"]["seen"]

    assert (sum(seen.values()), seen["no_pc"]) == (120, 0)
    assert seen["contradicted"] == 2


def test_each_planted_line_is_degraded_and_the_others_are_not(
    demo: Demo,
) -> None:
    links = demo.summary["links"]
    assert isinstance(links, dict)
    degraded = {code for code, link in links.items() if link["verdict"] == "degraded"}

    assert degraded == {"TG-X01-INT", "TG-X02-INT", "TG-X03-INT"}


def test_what_it_prints_is_marked_as_sample_data(
    demo: Demo,
) -> None:
    words = demo.words

    assert words.count("DỮ LIỆU MẪU") >= 4
    assert "120/120 = 100 %" in words
    assert "https://127.0.0.1:" in words


def test_ctrl_c_ends_every_program_it_started(demo: Demo) -> None:
    names = ("kiemke-server", "kiemke-agent", "kiemke-collector", "snmp.responder")

    assert [name for name in names if not any(name in words for words in demo.running)] == []
    assert "Ended." in demo.words
    assert demo.status == 0
    assert demo.left == []


@pytest.mark.slow
def test_ctrl_c_amid_the_play_ends_every_program_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.demo", "--communes", "3", "--folder", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, preexec_fn=_heed_interrupts,  # no threads here
    ) as demo:  # fmt: skip
        try:
            enrolled = tmp_path / "agent" / "identity.json"
            wait_until(enrolled.exists, "the agent is enrolled", 90.0)
            assert any("kiemke-server" in words for words in _programs_of(tmp_path))
            demo.send_signal(signal.SIGINT)
            words, _ = demo.communicate(timeout=240)
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
