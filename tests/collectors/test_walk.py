"""Walking columns side by side: sparse columns, short answers, agents that loop."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import AnswerTooBig, BadAnswer, PollTimeout
from kiemke.collectors.snmp.reader import Oid, Tuning, Value, Walk
from kiemke.collectors.snmp.walk import Bulk, walk_columns

A, B = "1.3.1", "1.3.2"
END: Oid = (1, 3, 9)


def table_bulk(objects: dict[Oid, Value], cut: int = 10_000) -> Bulk:
    """Return a well-behaved agent's GETBULK over ``objects``; answers are cut to ``cut`` variables."""
    names = sorted(objects)

    async def bulk(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
        answer: list[tuple[Oid, Value | None]] = []
        at = list(oids)
        for _ in range(rows):
            for position, oid in enumerate(at):
                found = next((name for name in names if name > oid), None)
                answer.append((oid, None) if found is None else (found, objects[found]))
                at[position] = found or oid
        return answer[:cut]

    return bulk


async def walk(bulk: Bulk, *columns: str, tuning: Tuning | None = None) -> Walk:
    """Walk with a minute to spare."""
    return await walk_columns(bulk, columns, Deadline(60), tuning or Tuning(), target="t")


@given(
    one=st.sets(st.integers(1, 40)),
    other=st.sets(st.integers(1, 40)),
    cut=st.integers(1, 30),
    rows=st.integers(1, 12),
)
async def test_every_cell_is_found_once_however_answers_are_cut(
    one: set[int], other: set[int], cut: int, rows: int
) -> None:
    """Holes in one column never shift the rows of the other."""
    objects: dict[Oid, Value] = {(1, 3, 1, n): n for n in one}
    objects |= {(1, 3, 2, n): n * 10 for n in other}
    objects[END] = 0

    found = await walk(table_bulk(objects, cut), A, B, tuning=Tuning(rows, rows))

    assert found.problem is None and found.reached == {}
    assert found.cells[A] == {(n,): n for n in one}
    assert found.cells[B] == {(n,): n * 10 for n in other}


async def test_an_agent_that_goes_back_to_the_start_ends_the_walk() -> None:
    async def looping(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
        return [((1, 3, 1, 1 + n % 3), n) for n in range(rows)]

    found = await walk(looping, A)

    assert isinstance(found.problem, BadAnswer)
    assert found.cells[A] == {(1,): 0, (2,): 1, (3,): 2}
    assert found.is_row_whole((3,)) and not found.is_row_whole((4,))


async def test_an_agent_that_repeats_its_answer_ends_the_walk() -> None:
    async def stuck(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
        return [((1, 3, 1, 7), 1)]

    found = await walk(stuck, A)

    assert found.problem is not None and "forward" in found.problem.detail
    assert found.cells[A] == {(7,): 1}


async def test_an_endless_table_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiemke.collectors.snmp.walk.MAX_ROWS", 100)

    async def endless(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
        last = oids[0][-1] if len(oids[0]) > 3 else 0
        return [((1, 3, 1, last + n), n) for n in range(1, rows + 1)]

    found = await walk(endless, A)

    assert found.problem is not None and "over 100 rows" in found.problem.detail
    assert len(found.cells[A]) == 100


async def test_a_row_is_whole_only_when_every_column_got_that_far() -> None:
    answers = [[((1, 3, 1, 1), 1), ((1, 3, 2, 1), 1), ((1, 3, 1, 2), 2)]]

    async def silent_after_one(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
        if not answers:
            raise PollTimeout("t", "no answer")
        return list(answers.pop())

    found = await walk(silent_after_one, A, B, tuning=Tuning(1, 1))

    assert isinstance(found.problem, PollTimeout)
    assert found.is_row_whole((1,)) and not found.is_row_whole((2,))


async def test_too_big_halves_the_question_and_good_walks_raise_it_again() -> None:
    whole = table_bulk({(1, 3, 1, n): n for n in range(1, 30)})
    asked: list[int] = []

    async def small_only(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
        asked.append(rows)
        if rows > 6:
            raise AnswerTooBig("t", "too big")
        return await whole(oids, rows)

    tuning = Tuning()
    found = await walk(small_only, A, tuning=tuning)

    assert len(found.cells[A]) == 29 and found.problem is None
    assert asked[:4] == [25, 12, 6, 6]
    assert tuning.max_repetitions == 7


async def test_nothing_at_all_is_an_error_and_not_an_empty_table() -> None:
    async def silent(oids: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
        raise PollTimeout("t", "no answer")

    with pytest.raises(PollTimeout):
        await walk(silent, A)
