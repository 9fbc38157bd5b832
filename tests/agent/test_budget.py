"""The agent that costs more than it may works less often and says so, until it costs less."""

from kiemke.agent.budget import EVERY_SECONDS, MOST_BYTES, MOST_FACTOR, MOST_RATIO, Budget
from kiemke.agent.commands.inventory import _pair
from kiemke.agent.pace import Intervals
from kiemke.agent.sensors.sampler import read_cost
from kiemke.agent.sensors.vital import VitalsError
from kiemke.wire.report import EVENT_NAMES


class Cost:
    """A process whose processor time goes on by a share of each hour."""

    def __init__(self) -> None:
        self.seconds, self.resident, self.is_known = 100.0, 1, True

    def __call__(self) -> tuple[float, int]:
        if not self.is_known:
            raise VitalsError("the system does not say")
        return self.seconds, self.resident


def test_over_the_budget_it_waits_longer_and_under_half_of_it_no_more() -> None:
    cost = Cost()
    budget = Budget(cost)
    seen = []
    assert budget.judge(0.0) is None, "what the start cost is not counted"
    hours = (3.0, 3.0, 3.0, 0.7, 0.3, 0.3, 0.3)  # times the budget
    for hour, times in enumerate(hours, 1):
        cost.seconds += EVERY_SECONDS * MOST_RATIO * times
        event = budget.judge(hour * EVERY_SECONDS)
        seen.append((budget.factor, event is not None))

    assert seen == [
        (2.0, True), (MOST_FACTOR, True), (MOST_FACTOR, False), (MOST_FACTOR, False), (2.0, True),
        (1.0, True), (1.0, False),
    ]  # fmt: skip


def test_what_it_tells_names_the_cost_and_what_is_allowed() -> None:
    cost = Cost()
    budget = Budget(cost)
    budget.judge(0.0)
    cost.seconds += 7.2
    assert budget.judge(EVERY_SECONDS - 1.0) is None, "not before an hour is over"
    event = budget.judge(EVERY_SECONDS)

    assert event is not None and event.name in EVENT_NAMES
    assert event.detail == {
        "processor_ratio": "0.002000", "allowed_ratio": "0.0005", "resident_bytes": "1", "slowed_by": "2",
    }  # fmt: skip


def test_what_is_not_known_changes_nothing_and_much_memory_is_noticed() -> None:
    cost = Cost()
    budget = Budget(cost)
    cost.is_known = False
    assert budget.judge(0.0) is None and not budget.is_large
    cost.is_known, cost.resident = True, MOST_BYTES + 1
    assert budget.judge(1.0) is None and budget.is_large
    assert Intervals().stretched(2.0) == Intervals(120.0, 600.0, 86_400.0)
    seconds, resident = read_cost()
    assert seconds > 0 and resident > 1 << 20


def test_a_size_that_changed_is_told_in_the_unit_a_person_reads() -> None:
    assert _pair(65_200_148_480, 70_408_491_520, "free_bytes") == "65.2 GB → 70.4 GB"
    assert _pair(65_200_148_480, 65_200_148_481, "free_bytes") == "65200148480 → 65200148481"
    assert _pair(None, 5_000_000, "size_bytes") == "- → 5 MB"
    assert _pair(1, 2, "cores") == "1 → 2"
