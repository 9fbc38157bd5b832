"""Gear of makers nobody described: what the beginning of their own tree tells by its looks."""

import pytest

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.identify import identify
from kiemke.collectors.identify_facts import BEGINNING_ROWS, MOST_HOPS
from kiemke.collectors.snmp.reader import Value, parse_oid
from tests.collectors.test_identify import VENDOR, ask, device

IDENTITY_GROUP: dict[str, Value] = {
    f"{VENDOR}.1.1.0": b"GateMaster GM-2400",
    f"{VENDOR}.1.2.0": b"3.14.2 build 77",
    f"{VENDOR}.1.3.0": b"GM24X0031877",
}


async def test_model_version_and_serial_side_by_side_are_told_apart_and_marked_as_guessed() -> None:
    found = await ask(device(IDENTITY_GROUP))

    assert (found.model, found.version, found.serial) == (
        "GateMaster GM-2400",
        "3.14.2 build 77",
        "GM24X0031877",
    )
    assert found.guessed == ("model", "version", "serial")


async def test_what_a_family_knows_is_not_guessed() -> None:
    """A described device is believed where its family says; only the rest is left to looks."""
    line = f'[[line]]\nobject_ids = ["{VENDOR}"]\nmodel = [{{ text = "M-1" }}]\nserial = []\n'

    found = await ask(device(IDENTITY_GROUP), line)

    assert (found.model, found.version, found.serial) == ("M-1", "3.14.2 build 77", None)
    assert found.guessed == ("version",)


@pytest.mark.parametrize(
    "texts",
    [
        ["GM24X0031877", "GM24X0031878"],
        ["3.14.2"],
        ["2026-11-22 10:15:00", "192.168.1.40", "00:1b:21:3c:4d:5e"],
        ["41.5C", "230 V", "3.3"],
        ["port 12", "Fan 2", "CPU 1 Temp"],
        ["0000000000", "3.14.2"],
    ],
)
async def test_texts_that_may_be_anything_are_no_facts(texts: list[str]) -> None:
    """A version alone, two serials, dates, addresses, readings and names of parts identify no device."""
    objects: dict[str, Value] = {
        f"{VENDOR}.1.{number}.0": text.encode() for number, text in enumerate(texts, 1)
    }

    found = await ask(device(objects))

    assert (found.model, found.version, found.serial, found.guessed) == (None, None, None, ())


async def test_rows_of_tables_are_not_taken_for_the_device() -> None:
    """The serial of a transceiver stands in a table, that of the device is a scalar."""
    table: dict[str, Value] = {
        oid.removesuffix("0") + "3": value for oid, value in IDENTITY_GROUP.items()
    }

    found = await ask(device(table))

    assert found.guessed == ()


async def test_behind_shared_software_the_makers_own_tree_is_found() -> None:
    """Appliances with a Linux inside name Net-SNMP as their system and still have a tree of their own."""
    shared: dict[str, Value] = {
        "1.3.6.1.4.1.2021.4.3.0": 7,
        "1.3.6.1.4.1.8072.1.2.1.1.4.0": 1,
    }

    found = await ask(device(IDENTITY_GROUP | shared, object_id="1.3.6.1.4.1.8072.3.2.10"))

    assert found.serial == "GM24X0031877"


async def test_guessing_reads_only_the_beginning_of_the_tree() -> None:
    """Unknown gear with a huge tree is asked for a few packets, not walked."""
    reader = device({f"{VENDOR}.9.{number}.0": b"x" for number in range(1, 3000)})
    reader.objects |= {parse_oid(oid): value for oid, value in IDENTITY_GROUP.items()}
    reader.names = sorted(reader.objects)
    asked = []
    walk = reader.walk

    async def counted(columns, deadline, rows_hint, part=None):  # type: ignore[no-untyped-def]
        got = await walk(columns, deadline, rows_hint, part)
        asked.append((part, sum(map(len, got.cells.values()))))
        return got

    reader.walk = counted  # type: ignore[method-assign]
    found = await identify(reader, Deadline(30))

    parts = [(part, rows) for part, rows in asked if part is not None]
    assert found.model == "GateMaster GM-2400"
    assert len(parts) <= MOST_HOPS + 1
    assert sum(rows for _, rows in parts) == BEGINNING_ROWS


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["GM24X0031877"], (None, None, "GM24X0031877")),
        (["GateMaster GM2", "A12B-34C5-67D8"], ("GateMaster GM2", None, "A12B-34C5-67D8")),
        (["GateMaster GM2", "7XK2Q31"], ("GateMaster GM2", None, "7XK2Q31")),
        (["GateMaster Version 7.1f", "GM24X0031877"], (None, "7.1f", "GM24X0031877")),
        (["GateMaster GM2", "GWN7660"], (None, None, None)),
        (["GateMaster GW-E", "GM24X0031877"], ("GateMaster GW-E", None, "GM24X0031877")),
        (["GM24X0031877", "Gate Master"], (None, None, "GM24X0031877")),
        (["GM2_R_00.07.06", "GM24X0031877"], (None, "GM2_R_00.07.06", "GM24X0031877")),
        (["v6.4.12,build2060,230221 (GA.M)", "GM24X0031877"], (None, "v6.4.12,build2060,230221 (GA.M)", "GM24X0031877")),
    ],
)  # fmt: skip
async def test_more_shapes_of_serials_and_versions_are_known(
    texts: list[str], expected: tuple[str | None, str | None, str | None]
) -> None:
    """A name right before the serial, groups of four, seven-character tags, a version after a name."""
    objects: dict[str, Value] = {
        f"{VENDOR}.1.{number}.0": text.encode() for number, text in enumerate(texts, 1)
    }

    found = await ask(device(objects))

    assert (found.model, found.version, found.serial) == expected
