"""What an agent never does: run what it is sent, start programs elsewhere than told here, listen."""

import json
import re
from dataclasses import fields

from kiemke.agent.pace import LEAST_SECONDS, MOST_SECONDS, Intervals
from kiemke.wire.codec import decode_answer
from kiemke.wire.report import REACH_TARGETS, Answer, Pace
from tests.support.tree import ROOT

# Where the agent starts a program, and which.
STARTERS = {
    "start.py": "becomes the service itself",
    "inventory.py": "its own sensors, as a child that can be killed",
    "sensors/software.py": "rpm, where packages are kept by it",
    "windows/live.py": "its own probes of what might hang",
    "commands/kit.py": "net stop and net start, of its own service",
    "commands/update.py": "its own copy, so that Windows Installer can replace it",
    "update/renewal.py": "its own fetching of a release",
    "update/installers.py": "dpkg or Windows Installer, of a release whose signature was believed",
    "service/task.py": "schtasks, when a key is trusted",
}
_STARTS = re.compile(r"subprocess\.(?:run|Popen|call|check_\w+)\(|os\.(?:exec|spawn|system|popen)")
_LISTENS = re.compile(r"\.listen\(|create_server|start_server|socketserver")


def test_what_a_server_answers_beyond_the_contract_moves_nothing() -> None:
    known = {"ack": {"7": 3}, "rejected": [], "need": ["os"], "settings": {"post_seconds": 60}}
    more = {"command": "reboot", "run": ["sh", "-c", "id"], "url": "http://x", "update": "9.9.9"}
    settings = {"settings": {"post_seconds": 60, "exec": "id", "probe": "198.51.100.1"}}

    assert decode_answer(json.dumps(known | more | settings).encode()) == decode_answer(
        json.dumps(known).encode()
    )
    assert {field.name for field in fields(Answer)} == {
        "ack", "rejected", "need", "settings", "ca_next", "probes", "aside",
    }  # fmt: skip
    assert all(field.name.endswith("_seconds") for field in fields(Pace))


def test_what_a_server_asks_for_is_clamped_and_only_gateway_and_server_are_pinged() -> None:
    hurried = Intervals().adjusted(Pace(0.001, -5.0, 1.0))
    lazy = Intervals().adjusted(Pace(1e12, 1e12, 1e12))

    assert hurried == Intervals(LEAST_SECONDS, LEAST_SECONDS, LEAST_SECONDS)
    assert lazy == Intervals(MOST_SECONDS, MOST_SECONDS, MOST_SECONDS)
    assert (LEAST_SECONDS, MOST_SECONDS, REACH_TARGETS) == (30.0, 86_400.0, ("gateway", "server"))


def test_programs_are_started_where_this_list_says_and_nowhere_is_listened() -> None:
    folder = ROOT / "agent" / "kiemke"
    texts = {path: path.read_text("utf-8") for path in folder.rglob("*.py")}
    starters = {
        path.relative_to(folder / "agent").as_posix()
        for path, text in texts.items()
        if _STARTS.search(text)
    }

    assert starters == set(STARTERS)
    assert [str(path) for path, text in texts.items() if _LISTENS.search(text)] == []
