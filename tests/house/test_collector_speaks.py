"""What the collector tells a person has its Vietnamese in the collector's table, or in the wire's."""

import pytest

from kiemke.collectors.assignment_client import ADVICE
from kiemke.collectors.discover.commands import NO_SUBNETS
from kiemke.collectors.main import make_parser
from kiemke.collectors.snmp.pysnmp_reader import SILENCE
from kiemke.collectors.tongue import CREDENTIALS, EXAMPLES, in_tongue
from kiemke.wire.client import Outcome
from tests.house.test_agent_speaks import sentences, texts
from tests.support.tree import ROOT

FOLDER = ROOT / "collectors" / "kiemke" / "collectors"
TOLD = {"ConfigError", "NotEnrolledError", "say"}
# Of a device, (target, what): the second word is told.
WHY = {"PollTimeout", "AuthRefused", "Unreachable", "AnswerTooBig", "BadAnswer", "SshError"}
# Told to whoever writes a family or a platform, in the language of its files.
OF_DEVELOPERS = ("identify_rules.py", "ssh/platform.py", "netmiko_session.py", "snmp/responder.py")


@pytest.fixture(autouse=True)
def vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "vi")


def untold(found: dict[str, str]) -> list[str]:
    return [f"{where}: {text}" for where, text in found.items() if in_tongue(text) == text]


def test_every_complaint_and_answer_has_its_vietnamese() -> None:
    said = dict(sentences((FOLDER,), TOLD))
    of_users = {
        where: text
        for where, text in said.items()
        if not any(name in where for name in OF_DEVELOPERS) and text.strip("⟨0123456789⟩: ")
    }

    assert len(of_users) > 80
    assert untold(of_users) == []


def test_every_reason_of_a_poll_or_a_visit_has_its_vietnamese() -> None:
    said = dict(sentences((FOLDER / "snmp", FOLDER / "ssh", FOLDER / "igd"), WHY, place=1))

    assert len(said) > 15
    assert untold(said | SILENCE) == []


def test_what_the_status_shows_of_the_server_has_its_vietnamese() -> None:
    said = {str(n): f"assignment: the server answered {n}; {why}" for n, why in ADVICE.items()}
    said |= {each.name: each.value for each in Outcome}

    assert untold(said) == []
    assert "collector" not in in_tongue(said["403"])


def test_every_word_of_the_help_has_its_vietnamese() -> None:
    told = [*texts(make_parser()), *(why for _, why in EXAMPLES), NO_SUBNETS]
    told += [line for line in CREDENTIALS if line.endswith(":")]

    assert len(told) > 60
    assert sorted({text for text in told if in_tongue(text) == text}) == []


def test_a_reader_of_english_reads_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = "10.5.9.2:161: no answer in 2 tries of 2 s: " + SILENCE["2c"]

    assert in_tongue(sentence).startswith("10.5.9.2:161: không trả lời sau 2 lần hỏi")
    monkeypatch.setenv("KIEMKE_LANG", "en")
    assert in_tongue(sentence) == sentence
