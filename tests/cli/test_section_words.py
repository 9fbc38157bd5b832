"""What an inventory holds is shown in the office's words, in both languages."""

import dataclasses
from datetime import UTC

import pytest

from kiemke.cli import i18n
from kiemke.cli.commands import source
from kiemke.cli.section_words import FIELDS, SECTIONS, field_kind, field_word, section_word
from kiemke.cli.words import word
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


def test_what_a_source_told_is_in_the_readers_words() -> None:
    """Keys and values the agent is known to send; others as it sent them."""
    event = {"detail": {"reason": "broken", "detail": "file is not a database", "stream": None}}
    update = {"detail": {"outcome": "refused", "version": "0.2.0", "reason": "its time is over"}}

    told = []
    for language in ("vi", "en"):
        i18n.use(language)
        told += [source._told(event), source._told(update), word("section_status", "denied")]

    assert told == [
        "vì: tệp bị hỏng, chi tiết: file is not a database",
        "kết quả: bị từ chối, phiên bản: 0.2.0, vì: đã quá hạn",
        "không có quyền đọc",
        "because: its file was damaged, in detail: file is not a database",
        "outcome: refused, version: 0.2.0, because: its time is over",
        "no rights to read it",
    ]
