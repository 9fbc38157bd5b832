"""A service of Windows that nobody has enrolled waits for it and ends only when it is told to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiemke.agent.files import NotEnrolledError, StateError
from kiemke.agent.halt import Halt
from kiemke.agent.service import patience
from kiemke.wire import patience as marks


@pytest.fixture
def halt() -> Iterator[Halt]:
    made = Halt()
    yield made
    made.close()


def test_it_begins_when_a_token_was_left(
    tmp_path: Path, halt: Halt, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first try makes the identity: that is a change too, and costs one more try."""
    tries: list[int] = []

    def work() -> int:
        tries.append(len(tries))
        (tmp_path / "identity.json").write_text("{}")
        if not (tmp_path / "token").exists():
            raise NotEnrolledError("not enrolled yet")
        return 7

    def leave_a_token(seconds: float) -> bool:
        (tmp_path / "token").write_text("t")
        return False

    monkeypatch.setattr(halt, "wait", leave_a_token)
    mark = marks._mark
    monkeypatch.setattr(marks, "_mark", lambda file: mark(file) and (0, mark(file)[1]))  # type: ignore[index]

    assert patience.work_once_enrolled(tmp_path, halt, work) == 7
    assert tries == [0, 1, 2]
    assert capsys.readouterr().err.count("waiting to be enrolled") == 2


def test_it_ends_when_the_manager_says_so(tmp_path: Path, halt: Halt) -> None:
    def work() -> int:
        halt.ring("service")
        raise NotEnrolledError("not enrolled yet")

    assert patience.work_once_enrolled(tmp_path, halt, work) == 0


def test_what_is_no_want_of_enrolment_is_not_waited_for(tmp_path: Path, halt: Halt) -> None:
    def work() -> int:
        raise StateError("the disk is full")

    with pytest.raises(StateError, match="full"):
        patience.work_once_enrolled(tmp_path, halt, work)
