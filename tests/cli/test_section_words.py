"""What an inventory holds is shown in the office's words, in both languages."""

import dataclasses
from datetime import UTC

import pytest

from kiemke.cli.section_words import FIELDS, SECTIONS, field_kind, field_word, section_word
from kiemke.wire import inventory


def test_every_section_and_every_field_of_a_row_has_words() -> None:
    """A new sensor's section would otherwise be shown by its code."""
    fields = {f.name for row in inventory.SECTIONS.values() for f in dataclasses.fields(row)}

    assert inventory.SECTIONS.keys() == SECTIONS.keys()
    assert fields == FIELDS.keys()


def test_what_a_newer_agent_tells_is_shown_as_it_is() -> None:
    assert (section_word("holograms"), field_word("lumen")) == ("holograms", "lumen")


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("release_date", "03/15/2021", "15/03/2021"),  # month first, as a BIOS has it
        ("release_date", "15/03/2021", "15/03/2021"),  # no such month: as it is
        ("release_date", None, None),
        ("installed_on", "2021-03-15", "15/03/2021"),
        ("size_bytes", 256 << 30, "256 GiB"),
        ("speed_bits_per_second", 1_000_000_000, "1 Gbit/s"),
        ("serial", "0012", "0012"),
        ("is_uac_on", False, "không"),
    ],
)
def test_values_are_written_as_everywhere_else(
    field: str, value: object, shown: str | None
) -> None:
    assert field_kind(field).render(value, UTC) == shown
