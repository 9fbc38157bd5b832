"""A configuration on the wire: what is packed comes back, whatever else is refused."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from kiemke.wire.config_text import clean_config, pack, unpack


@settings(max_examples=40)
@given(st.text(max_size=80))
def test_a_configuration_comes_back_as_it_was_cleaned(text: str) -> None:
    """Packed by the collector, unpacked by the server, and cleaning it twice changes nothing."""
    assert unpack(pack(text)) == clean_config(text) == clean_config(clean_config(text))


@given(st.lists(st.text(max_size=100), max_size=4))
def test_what_is_no_packed_configuration_is_refused_and_nothing_else_happens(
    lines: list[str],
) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(unpack(lines), str)
