"""How a coverage percentage is written: never more than is true, never of a handful of people."""

import pytest

from kiemke.server.domain.coverage import percent


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (120, 120, "100 %"),
        (119_999, 120_000, "99.9 %"),
        (378, 420, "90.0 %"),
        (2, 3, None),
        (4, 4, None),
        (5, 5, "100 %"),
        (0, 5, "0.0 %"),
        (0, 0, None),
    ],
)
def test_a_percentage_is_rounded_down_and_kept_back_for_small_units(
    part: int, whole: int, text: str | None
) -> None:
    assert percent(part, whole) == text
