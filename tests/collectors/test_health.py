"""What a device tells of its own state, by the standard MIBs."""

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollTimeout
from kiemke.collectors.snmp import health
from kiemke.collectors.snmp.health import LACKING_SECONDS, Rhythm
from kiemke.collectors.snmp.reader import Oid, Part, Value, Walk, parse_oid
from tests.support.snmp_recordings import RecordedReader


def table(cells: dict[str, Value]) -> dict[Oid, Value]:
    return {parse_oid(oid): value for oid, value in cells.items()}


async def read(cells: dict[str, Value]) -> dict[tuple[str, str], float]:
    found = await Rhythm().read(RecordedReader(table(cells)), Deadline(10), 0.0)
    return {(each.name, each.part): each.value for each in found}


async def test_a_ups_on_battery_tells_charge_load_and_time_left() -> None:
    found = await read({
        health.UPS_BATTERY_STATUS: 3, health.UPS_MINUTES: 12, health.UPS_CHARGE: 41,
        health.UPS_SOURCE: 5, f"{health.UPS_LOAD}.1": 33,
    })  # fmt: skip

    assert found == {
        ("ups_charge_ratio", ""): 0.41, ("ups_on_battery", ""): 1.0, ("ups_battery_low", ""): 1.0,
        ("ups_left_seconds", ""): 720.0, ("ups_load_ratio", "1"): 0.33,
    }  # fmt: skip


async def test_toner_that_is_only_some_has_no_share() -> None:
    found = await read({
        f"{health.SUPPLY_NAME}.1.1": b"Black Toner", f"{health.SUPPLY_MOST}.1.1": 2000,
        f"{health.SUPPLY_LEVEL}.1.1": 500, f"{health.SUPPLY_MOST}.1.2": -2,
        f"{health.SUPPLY_LEVEL}.1.2": -3, f"{health.LIFE_COUNT}.1.1": 18_443,
        f"{health.PRINTER_STATUS}.1": 1, f"{health.PRINTER_ERRORS}.1": b"\x44\x00",
    })  # fmt: skip

    assert found["supply_left_ratio", "1.1"] == 0.25
    assert ("supply_left_ratio", "1.2") not in found
    assert found["printed_pages", "1.1"] == 18_443
    troubled = {name for (name, _), value in found.items() if value == 1}
    assert troubled == {"printer_no_paper", "printer_jammed"}


async def test_temperatures_follow_scale_and_precision_and_broken_sensors_say_nothing() -> None:
    cells: dict[str, Value] = {}
    for row, (kind, scale, precision, value, status) in {
        1: (8, 9, 1, 423, 1), 2: (8, 8, 0, 38_500, 1), 3: (8, 9, 0, 40, 2), 4: (4, 9, 0, 12, 1),
    }.items():  # fmt: skip
        for column, number in zip(
            (health.SENSOR_TYPE, health.SENSOR_SCALE, health.SENSOR_PRECISION,
             health.SENSOR_VALUE, health.SENSOR_STATUS),
            (kind, scale, precision, value, status), strict=True,
        ):  # fmt: skip
            cells[f"{column}.{row}"] = number

    found = await read(cells)

    assert {part: round(value, 6) for (_, part), value in found.items()} == {"1": 42.3, "2": 38.5}


async def test_processor_and_memory_by_either_mib() -> None:
    by_host = await read({
        f"{health.PROCESSOR_LOAD}.1": 20, f"{health.PROCESSOR_LOAD}.2": 40,
        f"{health.STORAGE_TYPE}.1": health.STORAGE_RAM, f"{health.STORAGE_SIZE}.1": 4000,
        f"{health.STORAGE_USED}.1": 1000,
    })  # fmt: skip
    by_ucd = await read({
        health.UCD_CPU_IDLE: 75, health.UCD_TOTAL: 1000, health.UCD_FREE: 200,
        health.UCD_BUFFER: 100, health.UCD_CACHED: 200,
    })  # fmt: skip

    assert by_host == {("cpu_ratio", ""): 0.3, ("memory_used_ratio", ""): 0.25}
    assert by_ucd == {("cpu_ratio", ""): 0.25, ("memory_used_ratio", ""): 0.5}


async def test_what_a_device_lacks_is_asked_once_a_day_and_a_failing_group_costs_no_other() -> None:
    class Half(RecordedReader):
        walks = 0

        async def walk(
            self,
            columns: object,
            deadline: Deadline,
            rows_hint: int | None,
            part: Part | None = None,
        ) -> Walk:
            assert isinstance(columns, tuple)
            self.walks += 1
            if columns == (health.POE_CAPACITY, health.POE_USED):
                raise PollTimeout("here", "no answer")
            return await super().walk(columns, deadline, rows_hint, part)

    reader, rhythm = Half(table({health.UPS_SOURCE: 3})), Rhythm()
    first = await rhythm.read(reader, Deadline(10), 0.0)
    asked = reader.walks
    again = await rhythm.read(reader, Deadline(10), 60.0)

    assert [each.name for each in first] == ["ups_on_battery"] == [each.name for each in again]
    assert reader.walks == asked + 1  # the load of the UPS, nothing else
    await rhythm.read(reader, Deadline(10), LACKING_SECONDS + 1.0)
    assert reader.walks > asked + 4


async def test_what_may_be_lacking_waits_for_its_turn_and_what_answers_does_not() -> None:
    reader, rhythm = RecordedReader(table({health.UPS_SOURCE: 3})), Rhythm()
    turns = iter((False, True, *[False] * 100))

    def may_try() -> bool:
        return next(turns)

    asked = list(health.GROUPS)
    await rhythm.read(reader, Deadline(10), 0.0, may_try=may_try)
    tried = set(rhythm.next_at)
    found = await rhythm.read(reader, Deadline(10), 1.0)
    again = await rhythm.read(reader, Deadline(10), 61.0, may_try=lambda: False)

    assert tried == {asked[1]}, "the second group alone had a turn"
    assert set(rhythm.next_at) == set(asked), "the others come in a later poll"
    assert [each.name for each in found] == ["ups_on_battery"] == [each.name for each in again]
