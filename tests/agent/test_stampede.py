"""Many agents after an outage: spread by their own code, in a time that only the simulation knows."""

from bench.stampede import play


def test_agents_come_back_over_minutes_and_all_of_them() -> None:
    """All at once would be 300 in the first second; the back-off is 900 s at most."""
    figures = play(300, up_at_seconds=1800.0, first_within_seconds=300.0, capacity=300)

    assert figures.peak_requests_a_second <= 6
    assert figures.half_heard_seconds > 60.0
    assert figures.all_heard_seconds <= 900.0
    assert figures.busy_answers == 0


def test_a_server_that_is_full_sends_them_away_without_making_waves() -> None:
    """Retry-After is obeyed and what follows it spread: the worst ten seconds stay near the first."""
    figures = play(300, up_at_seconds=0.0, first_within_seconds=30.0, capacity=3)

    assert figures.busy_answers > 0
    assert figures.peak_ten_seconds < 2 * 300 / 30
    assert figures.all_heard_seconds < 600.0
