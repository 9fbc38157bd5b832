"""Masters that are imaged, copies made without asking, PCs that forget: each against a real server."""

import json
from functools import partial
from pathlib import Path

import pytest

from kiemke.agent.commands import run, seal, status
from kiemke.agent.doctor.machine import check_enrolment
from kiemke.agent.evidence import is_another
from kiemke.agent.files import NotEnrolledError
from kiemke.agent.host import Host
from kiemke.agent.state import StateFolder
from kiemke.wire.clocks import now_utc
from kiemke.wire.enrolment import EnrolmentError
from kiemke.wire.outbox_store import FileLock
from tests.support.agent_server import AgentServer, copy_state
from tests.support.firmware import dump_tree


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests read English."""
    monkeypatch.setenv("KIEMKE_LANG", "en")


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "At":
    return At(tmp_path, monkeypatch)


class At:
    """Puts the state folder into a PC: its SMBIOS says another serial for each name."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch

    def __call__(self, name: str, state: Path) -> int:
        """Let the agent start once in that PC; return its exit status."""
        root = self._folder / f"pc-{name}"
        if not root.exists():
            dump_tree(root, name)
        here = partial(Host, root=root)
        self._monkeypatch.setattr("kiemke.agent.commands.run.Host", here)
        self._monkeypatch.setattr("kiemke.agent.host.Host", here)
        return run.run(state, once=True, spread_seconds=0.0, outbox_mb=1.0)


def source(state: Path) -> str:
    """Return who the agent in this folder is to the server."""
    identity = StateFolder(state).identity()
    assert identity is not None and identity.source is not None
    return identity.source


def test_each_clone_of_a_sealed_master_enrols_itself(
    agent_server: AgentServer, at: At, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    master, token = tmp_path / "master", agent_server.enrolment_token(uses=5)
    agent_server.enrolled(master, token)
    at("master", master)
    was = source(master)
    capsys.readouterr()

    code = seal.run(master, token, "")

    told = capsys.readouterr().out
    clones = [copy_state(master, tmp_path / f"clone-{n}") for n in (1, 2)]
    codes = [at(f"clone-{n}", clone) for n, clone in enumerate(clones)]
    assert (code, codes) == (0, [0, 0])
    assert sorted(file.name for file in master.iterdir()) == ["outbox.db.lock", "token"]
    assert "admits 4 more PCs" in told and f"kiemke source revoke {was}" in told
    assert len({was, *(source(clone) for clone in clones)}) == 3
    assert [(clone / "token").exists() for clone in clones] == [False, False]
    heard = agent_server.rows(
        "SELECT COUNT(*) FROM source s JOIN source_now n ON n.source_id = s.id"
        " WHERE s.public_id IN (?, ?) AND n.last_received_at_ms IS NOT NULL",
        *(source(clone) for clone in clones),
    )
    assert heard == [(2,)]


def test_a_master_is_not_sealed_with_a_token_that_is_over(
    agent_server: AgentServer, at: At, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a clone that starts too late says so, instead of being silent for ever."""
    master, token = tmp_path / "master", agent_server.enrolment_token(uses=3)
    agent_server.enrolled(master)
    seal.run(master, token, "")
    clone = copy_state(master, tmp_path / "clone")
    capsys.readouterr()
    agent_server.expire(token)

    late, before = tmp_path / "late", source_file(agent_server.enrolled_state(tmp_path / "late"))
    with pytest.raises(EnrolmentError, match="403"):
        seal.run(late, token, "")
    with pytest.raises(NotEnrolledError):
        at("clone", clone)
    lines, well = status.describe(StateFolder(clone), now_utc())

    assert source_file(late) == before  # nothing was taken away
    assert not well
    assert "Waiting to enrol" in lines[0] and "403" in lines[0]


def source_file(state: Path) -> bytes:
    return (state / "identity.json").read_bytes()


def test_sealing_without_a_token_or_beside_the_running_service_changes_nothing(
    agent_server: AgentServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = agent_server.enrolled_state(tmp_path / "state")
    before = source_file(state)
    without = seal.run(state, "", "")
    lock = FileLock(state / "outbox.db.lock")
    beside = seal.run(state, agent_server.enrolment_token(), "")
    lock.release()

    told = capsys.readouterr().err
    assert (without, beside) == (1, 1)
    assert "no enrolment token" in told and "service is running" in told
    assert source_file(state) == before


def test_a_copy_made_without_asking_leaves_the_name_and_both_sides_say_so(
    agent_server: AgentServer, at: At, tmp_path: Path
) -> None:
    """Nobody gave it a token: it tells the server under the old name and rests."""
    original = agent_server.enrolled_state(tmp_path / "original")
    at("original", original)
    name = source(original)
    copy = copy_state(original, tmp_path / "copy")

    with pytest.raises(NotEnrolledError, match=f"copy of that of {name}"):
        at("other", copy)

    (event,) = agent_server.events(name, "identity")
    lines, well = status.describe(StateFolder(copy), now_utc())
    assert event["before"] != event["now"] and event["now"].startswith("uuid=")
    assert (well, "copy of another machine's" in lines[0]) == (False, True)
    assert json.loads((copy / "identity.copied.json").read_text())["source"] == name
    assert agent_server.rows("SELECT state FROM source WHERE public_id = ?", name) == [
        ("quarantined",)
    ]
    assert _findings(agent_server, name) == ["cloned_source"]
    # The PC whose name it was goes on, is told that it counts nowhere, and that it does again.
    assert at("original", original) == 0
    aside, is_well = status.describe(StateFolder(original), now_utc())
    line = check_enrolment(StateFolder(original))[0]
    agent_server.ask("POST", f"/sources/{name}/approve")
    assert at("original", original) == 0
    assert not is_well and line.state == "bad"
    assert aside[-2].startswith("The server has set this PC aside")
    assert f"kiemke source approve {name}" in aside[-1] == line.remedy
    assert status.describe(StateFolder(original), now_utc())[1]


def test_a_copy_with_a_token_at_hand_becomes_a_machine_of_its_own(
    agent_server: AgentServer, at: At, tmp_path: Path
) -> None:
    original = agent_server.enrolled_state(tmp_path / "original")
    at("original", original)
    copy = copy_state(original, tmp_path / "copy")
    (copy / "token").write_text(agent_server.enrolment_token())

    code = at("other", copy)

    assert code == 0
    assert source(copy) != source(original)
    assert agent_server.events(source(original), "identity") == []
    assert agent_server.events(source(copy), "identity") == [{"copied_from": source(original)}]
    assert _findings(agent_server, source(copy)) == ["copied_disk"]
    states = agent_server.rows(
        "SELECT state FROM source WHERE public_id IN (?, ?)", source(original), source(copy)
    )
    assert states == [("approved",), ("approved",)]
    # It is itself from now on: the next start finds nothing amiss.
    assert at("other", copy) == 0
    assert len(agent_server.events(source(copy), "identity")) == 1


def test_a_new_board_or_a_moved_disk_is_no_copy() -> None:
    """One part that is what it was keeps the name; the server decides about the machine."""
    before = {"uuid": ["1"], "system": ["2"], "board": ["3"], "mac": ["4"], "disk": ["5"]}

    assert not is_another(before, {**before, "uuid": ["9"], "board": ["9"], "mac": ["9"]})
    assert not is_another(before, {"uuid": ["9"], "system": ["9"], "board": ["9"], "disk": ["5"]})
    assert not is_another(before, {"mac": ["9"]})  # one card alone says nothing
    assert not is_another({}, before)
    assert is_another(before, {kind: ["9"] for kind in before})


def test_a_pc_that_forgets_at_each_start_is_one_source_even_after_the_token_is_over(
    agent_server: AgentServer, at: At, tmp_path: Path
) -> None:
    """Deep Freeze puts the disk back each night; two such PCs come from one image."""
    image, token = tmp_path / "image", agent_server.enrolment_token(uses=5)
    agent_server.enrolled(image)
    seal.run(image, token, "", is_frozen=True)

    def morning(pc: str, day: int) -> str:
        state = copy_state(image, tmp_path / f"{pc}-{day}")
        assert at(pc, state) == 0
        return source(state)

    first = {morning("frozen-1", 1), morning("frozen-2", 1)}
    agent_server.expire(token)
    second = {morning("frozen-1", 2), morning("frozen-2", 2)}

    assert len(first) == 2 and first == second
    uses = agent_server.rows(
        "SELECT t.uses_left, COUNT(*) FROM enrolment_token t JOIN source s ON s.token_id = t.id"
        " WHERE t.public_id = ?",
        agent_server.token_id(token),
    )
    assert uses == [(3, 2)]
    started = agent_server.rows(
        "SELECT COUNT(DISTINCT stream) FROM source_stream x JOIN source s ON s.id = x.source_id"
        " WHERE s.public_id IN (?, ?)",
        *first,
    )
    assert started == [
        (4,)
    ]  # every start is a stream of its own: nothing collides, nothing is lost


def test_a_pc_frozen_after_its_enrolment_loses_no_report(
    agent_server: AgentServer, at: At, tmp_path: Path
) -> None:
    frozen = agent_server.enrolled_state(tmp_path / "frozen")
    at("pc", frozen)
    name = source(frozen)
    for day in range(2):
        assert at("pc", copy_state(frozen, tmp_path / f"day-{day}")) == 0

    received = agent_server.rows(
        "SELECT COUNT(*), SUM(last_seq), SUM(gap_reports) FROM source_stream x"
        " JOIN source s ON s.id = x.source_id WHERE s.public_id = ?",
        name,
    )
    assert received[0][0] == 3 and received[0][2] == 0
    assert agent_server.rows("SELECT state FROM source WHERE public_id = ?", name) == [
        ("approved",)
    ]


def test_enrolled_again_by_another_token_the_install_stays_known(
    agent_server: AgentServer, at: At, tmp_path: Path
) -> None:
    """The server keeps what the install said under the first token; both bear its one name."""
    state = agent_server.enrolled_state(tmp_path / "state")
    at("pc", state)
    first = source(state)
    agent_server.enrolled(state, agent_server.enrolment_token())
    at("pc", state)

    rows = agent_server.rows(
        "SELECT COUNT(*), COUNT(DISTINCT s.install_id), COUNT(n.last_received_at_ms) FROM source s"
        " JOIN source_now n ON n.source_id = s.id WHERE s.public_id IN (?, ?)",
        first,
        source(state),
    )
    assert rows == [(2, 1, 2)]


def _findings(server: AgentServer, name: str) -> list[str]:
    found = server.rows(
        "SELECT f.kind FROM finding f JOIN source s ON f.subject = 'source:' || s.id"
        " WHERE s.public_id = ? AND f.closed_at_ms IS NULL",
        name,
    )
    return [row[0] for row in found]
