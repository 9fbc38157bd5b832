"""Money as people write it: understood when clear, refused when it could mean two things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.domain.money import MOST_DONG, MoneyError, format_dong, parse_dong


@pytest.mark.parametrize(
    ("written", "dong"),
    [
        ("15.000.000", 15_000_000),
        ("15,000,000", 15_000_000),
        ("15 000 000", 15_000_000),
        ("15000000", 15_000_000),
        ("15.000.000 đ", 15_000_000),
        ("15.000.000đồng", 15_000_000),
        ("15.000.000 VNĐ", 15_000_000),
        ("15.000.000,00", 15_000_000),
        ("15,000,000.00", 15_000_000),
        ("15 triệu", 15_000_000),
        ("15tr", 15_000_000),
        ("15 TRIỆU đồng", 15_000_000),
        ("1,2 tỷ", 1_200_000_000),
        ("1.25 tỉ", 1_250_000_000),
        ("1 tỷ 200 triệu", 1_200_000_000),
        ("850 nghìn", 850_000),
        ("850 ngàn đồng", 850_000),
        ("850k", 850_000),
        ("15.000 đ", 15_000),
        ("0", 0),
        (15_000_000.0, 15_000_000),
        (10_000_000, 10_000_000),
        ("10 triê\u0323u", 10_000_000),
    ],
)
def test_what_is_clear_is_understood(written: str | float, dong: int) -> None:
    assert parse_dong(written) == dong


@pytest.mark.parametrize("written", ["1.234", "1,234", "15.000", "1,234 tỷ", "12.500 triệu"])
def test_a_lone_group_is_ambiguous(written: str) -> None:
    """1.234 is 1234 to one reader and one and a quarter to another."""
    with pytest.raises(MoneyError) as caught:
        parse_dong(written)

    assert "hàng nghìn" in caught.value.problem.vi and "triệu" in caught.value.remedy.vi


@pytest.mark.parametrize(
    "written",
    [
        "", "abc", "15 triệu rưỡi", "1.50.000", "15.000,000.000", "1..000.000", "-5", "(5.000.000)",
        "15.000.000,5", "12,34,56", "1e9", "0x10", "triệu", "5 triệu 2 tỷ", "=1+1", "٣٠٠", "15.",
        ".5", "1 2 3", "9" * 70, 1.5, -1, float("nan"), float("inf"), True, float(MOST_DONG * 2),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(written: str | float) -> None:
    with pytest.raises(MoneyError):
        parse_dong(written)


@given(st.integers(min_value=1_000_000, max_value=MOST_DONG))
def test_every_printed_amount_is_read_back(dong: int) -> None:
    printed = format_dong(dong)

    assert parse_dong(printed) == dong
    assert parse_dong(printed.replace(".", ",")) == dong
    assert parse_dong(f"{printed} đồng") == dong


@given(st.text(max_size=30))
def test_any_text_gives_an_amount_or_a_clear_refusal(text: str) -> None:
    try:
        assert 0 <= parse_dong(text) <= MOST_DONG
    except MoneyError as error:
        assert error.problem.vi and error.remedy.en
