"""What an inventory holds is shown in the office's words, in both languages."""

import dataclasses

from kiemke.cli.section_words import FIELDS, SECTIONS, field_word, section_word
from kiemke.wire import inventory


def test_every_section_and_every_field_of_a_row_has_words() -> None:
    """A new sensor's section would otherwise be shown by its code."""
    fields = {f.name for row in inventory.SECTIONS.values() for f in dataclasses.fields(row)}

    assert inventory.SECTIONS.keys() == SECTIONS.keys()
    assert fields == FIELDS.keys()


def test_what_a_newer_agent_tells_is_shown_as_it_is() -> None:
    assert (section_word("holograms"), field_word("lumen")) == ("holograms", "lumen")
