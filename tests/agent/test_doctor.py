"""kiemke-agent doctor: each thing that keeps an agent from reporting is named, with what to do."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiemke.agent.commands import doctor
from kiemke.agent.doctor import machine, network
from kiemke.agent.doctor.result import CHECKS, NAMES
from kiemke.agent.state import AgentIdentity, StateFolder
from kiemke.wire.clocks import SystemClock
from kiemke.wire.outbox import Outbox
from kiemke.wire.pin import Address
from kiemke.wire.settings import language
from tests.support.peers import free_port
from tests.support.senders import event
from tests.support.tls_server import Certificates, Requests, make_certificates, tls_server

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests read English."""
    monkeypatch.setenv("KIEMKE_LANG", "en")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Requests]:
    with tls_server(certificates) as seen:
        yield seen


@pytest.fixture
def enrolled(tmp_path: Path, server: Requests) -> Callable[..., StateFolder]:
    """A state folder of an agent of this server, or of the addresses given."""

    def make(*urls: str, pem: str | None = None) -> StateFolder:
        folder = StateFolder(tmp_path / "state")
        folder.prepare()
        root = pem or server.certificates.root_pem
        folder.save_identity(AgentIdentity("ab" * 16, "s", "s1", urls or (server.url,), root))
        folder.save_status({"tried_at": NOW.isoformat(), "outcome": "idle"})
        return folder

    return make


def found(folder: StateFolder, now: datetime = NOW) -> dict[str, tuple[str, str, str]]:
    """Return state, what was seen and what to do, by check."""
    return {one.name: (one.state, one.seen, one.remedy) for one in doctor.examine(folder, now)}


def states(folder: StateFolder) -> dict[str, str]:
    return {name: told[0] for name, told in found(folder).items()}


def test_where_all_is_well_every_line_says_so(
    enrolled: Callable[..., StateFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = enrolled()
    with_outbox(folder)
    folder.save_status({"tried_at": datetime.now(UTC).isoformat(), "outcome": "idle"})

    code = doctor.run(folder.path, as_json=True)

    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert list(told) == [check.name for check in CHECKS]
    bad = {name: one for name, one in told.items() if one["state"] not in ("good", "odd")}
    assert (code, bad) == (0, {})
    assert told["clock"]["seen"].startswith(("+0 s", "-0 s", "+1 s", "-1 s"))


def with_outbox(folder: StateFolder, reports: int = 0) -> None:
    clock = SystemClock.read()
    outbox = Outbox(folder.outbox_path, clock, 1.0)
    for _ in range(reports):
        outbox.put(event(clock))  # type: ignore[arg-type] # any clock will do
    outbox.close()


def test_a_machine_that_is_not_enrolled_is_told_how_and_asks_nobody(tmp_path: Path) -> None:
    told = found(StateFolder(tmp_path))

    assert told["enrolment"][::2] == ("bad", "kiemke-agent enroll TOKEN")
    assert {told[name][0] for name in doctor.NETWORK} == {"unknown"}


def test_a_name_that_nobody_knows_is_told_with_a_way_around(
    enrolled: Callable[..., StateFolder],
) -> None:
    told = found(enrolled("https://no-such-server.invalid:8443"))

    assert told["dns"][0] == "bad"
    assert "no-such-server.invalid" in told["dns"][1] and "--first" in told["dns"][2]
    assert (told["line"][0], told["tls"][0], told["admission"][0]) == ("unknown",) * 3


def test_one_good_address_of_two_is_enough(
    enrolled: Callable[..., StateFolder], server: Requests
) -> None:
    told = states(enrolled("https://no-such-server.invalid:8443", server.url))

    assert (told["dns"], told["line"], told["tls"], told["admission"]) == (
        "odd", "good", "good", "good",
    )  # fmt: skip


def test_a_closed_port_is_told_apart_from_a_missing_name(
    enrolled: Callable[..., StateFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.office:3128")

    told = found(enrolled(f"https://127.0.0.1:{free_port()}"))

    assert (told["dns"][0], told["line"][0]) == ("good", "bad")
    assert "refused" in told["line"][1] and "firewall" in told["line"][2]
    assert told["proxy"][0] == "odd" and "proxy.office" in told["proxy"][1]


def test_another_root_in_between_is_told_and_the_secret_stays_here(
    enrolled: Callable[..., StateFolder], tmp_path: Path, server: Requests
) -> None:
    other = make_certificates(tmp_path / "other")

    told = found(enrolled(pem=other.root_pem))

    assert (told["line"][0], told["tls"][0], told["admission"][0]) == ("good", "bad", "unknown")
    assert "--repin" in told["tls"][2]


@pytest.mark.parametrize(
    ("offset", "words"),
    [(7300.0, "2 hours behind"), (-3 * 86_400.0, "3 days ahead"), (-90.0, "+90 s to the server's")],
)
def test_the_clock_is_told_with_its_side(offset: float, words: str, server: Requests) -> None:
    address = Address("127.0.0.1", server.port)
    line = network._clock(network.Tried(address, status=200, offset_seconds=offset))

    assert words in line.seen
    assert line.state == ("good" if abs(offset) < 120 else "odd")


def test_a_folder_that_others_may_read_is_told_with_the_command(
    enrolled: Callable[..., StateFolder],
) -> None:
    folder = enrolled()
    (folder.path / "identity.json").chmod(0o644)

    state, seen, remedy = found(folder)["rights"]

    assert (state, remedy) == ("bad", f"chmod 600 {folder.path / 'identity.json'}")
    assert "others may read" in seen
    folder.path.chmod(0o755)
    assert found(folder)["rights"][2] == f"chmod 700 {folder.path}"
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o755  # it looks, and changes nothing


def test_waiting_refused_and_broken_are_told(enrolled: Callable[..., StateFolder]) -> None:
    folder = enrolled()
    with_outbox(folder, reports=3)
    (folder.path / "outbox.db.broken-20260310T000000").touch()

    state, seen, _ = found(folder)["outbox"]

    assert (state, seen) == ("odd", "3 reports wait; a broken outbox was set aside")
    folder.outbox_path.write_bytes(b"no database" * 1000)
    assert found(folder)["outbox"][0] == "bad"


@pytest.mark.parametrize(("free_mb", "state"), [(10, "bad"), (100, "odd"), (5000, "good")])
def test_a_full_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, state: str
) -> None:
    usage = type("Usage", (), {"free": free_mb << 20})()
    monkeypatch.setattr("kiemke.agent.doctor.machine.shutil.disk_usage", lambda _: usage)

    assert machine.check_disk(StateFolder(tmp_path)).state == state


def test_a_service_that_does_nothing_is_told(enrolled: Callable[..., StateFolder]) -> None:
    folder = enrolled()

    assert found(folder, NOW + timedelta(hours=2))["service"][::2] == (
        "bad",
        "systemctl start kiemke-agent",
    )
    # A clock that was set back a year must not make it look busy.
    assert found(folder, NOW - timedelta(days=365))["service"][0] == "bad"
    assert found(folder, NOW)["service"][0] == "good"


def test_the_table_speaks_both_languages_and_exits_by_the_worst(
    enrolled: Callable[..., StateFolder],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = enrolled(f"https://127.0.0.1:{free_port()}")
    codes = [doctor.run(folder.path)]
    english = capsys.readouterr().out
    monkeypatch.setenv("KIEMKE_LANG", "vi")
    codes.append(doctor.run(folder.path))
    vietnamese = capsys.readouterr().out

    assert codes == [1, 1]
    for check in CHECKS:
        assert NAMES[check.name].en in english and NAMES[check.name].vi in vietnamese
    assert "→ see to cable and firewall" in english
    assert "→ xem dây mạng, tường lửa" in vietnamese


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "vi_VN"}, "vi"),
        ({"LANG": "vi_VN", "KIEMKE_LANG": "en"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_terminals(variables: dict[str, str], spoken: str) -> None:
    assert language(variables) == spoken


def test_without_rights_every_line_is_told_and_none_blames_the_service(
    enrolled: Callable[..., StateFolder], certificates: Certificates
) -> None:
    """Nobody but its account may look into the folder: that is no outbox that is damaged or missing."""
    folder = enrolled()
    with_outbox(folder)
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 0)  # root passes every lock
    else:
        folder.path.chmod(0)
    try:
        told = found(folder)
    finally:
        if os.getresuid()[2] == 0:
            os.setresuid(0, 0, 0)
        else:
            folder.path.chmod(0o700)

    assert list(told) == [check.name for check in CHECKS]
    bad = {name for name, one in told.items() if one[0] == "bad"}
    assert bad == {"enrolment", "rights"}
    assert "run this as root" in told["enrolment"][1]
    for name in ("outbox", "service"):
        assert (told[name][0], told[name][2][:16]) == ("unknown", "run this as root")


def test_a_damaged_identity_is_not_taken_for_missing_rights(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    (tmp_path / "identity.json").write_text("{", "utf-8")

    told = found(folder)["enrolment"]

    assert told[0] == "bad" and "remove it and enrol again" in told[1]
    assert told[2] == "", "the sentence says what to do"
