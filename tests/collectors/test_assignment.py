"""The assignment: validated entry by entry, kept for a start without the server."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.collectors.assignment import (
    DeviceTask,
    ProbeTask,
    load_assignment,
    parse_assignment,
    save_assignment,
)
from kiemke.collectors.errors import AssignmentError
from kiemke.collectors.service import pause_after

DEVICE = {"device": 1, "address": "127.0.0.1", "port": 1161, "credential": "core"}
PROBE = {"target": 5, "address": "2001:db8::1", "count": 3}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def test_devices_and_probes_are_read() -> None:
    found = parse_assignment({"poll_seconds": 60, "devices": [DEVICE], "probes": [PROBE]})

    assert found.poll_seconds == 60.0
    assert found.devices == (DeviceTask(1, "127.0.0.1", 1161, "core"),)
    assert found.probes == (ProbeTask(5, "2001:db8::1", 3),)
    assert found.refused == ()


def test_port_credential_and_count_have_defaults() -> None:
    found = parse_assignment(
        {
            "poll_seconds": 60,
            "devices": [{"device": 1, "address": "10.0.0.1"}],
            "probes": [{"target": 2, "address": "10.0.0.2"}],
        }
    )

    assert found.devices == (DeviceTask(1, "10.0.0.1", 161, "default"),)
    assert found.probes == (ProbeTask(2, "10.0.0.2", 5),)


@pytest.mark.parametrize(
    "address",
    ["224.0.0.1", "ff02::1", "::", "255.255.255.255", "sw-1", "10.0.0.256", "", None, 7]
    + ["0.0.0.0"],  # noqa: S104  (it is refused)
)
def test_one_bad_address_is_left_out_and_told_and_the_rest_goes_on(address: object) -> None:
    """The server must not be able to make a collector shout at a whole network."""
    found = parse_assignment(
        {
            "poll_seconds": 60,
            "devices": [{**DEVICE, "address": address}, {**DEVICE, "device": 2}],
            "probes": [{**PROBE, "address": address}],
        }
    )

    assert [task.device for task in found.devices] == [2]
    assert found.probes == ()
    assert [text.partition(":")[0] for text in found.refused] == ["devices[0]", "probes[0]"]


@pytest.mark.parametrize(
    "change",
    [{"device": 0}, {"device": True}, {"device": "1"}, {"device": 2**63}, {"port": 0}]
    + [{"port": 65536}, {"port": None}, {"credential": ""}, {"credential": 3}],
)
def test_a_device_with_a_value_out_of_range_is_left_out(change: dict[str, object]) -> None:
    found = parse_assignment({"poll_seconds": 60, "devices": [{**DEVICE, **change}]})

    assert found.devices == () and len(found.refused) == 1


def test_a_device_assigned_twice_is_polled_once() -> None:
    found = parse_assignment({"poll_seconds": 60, "devices": [DEVICE, {**DEVICE, "port": 162}]})

    assert [task.port for task in found.devices] == [1161]
    assert found.refused == ("devices[1]: 1 is assigned twice",)


@pytest.mark.parametrize(("asked", "kept"), [(1, 10.0), (60, 60.0), (86400, 3600.0)])
def test_the_interval_stays_within_the_limits_of_the_collector(asked: float, kept: float) -> None:
    assert parse_assignment({"poll_seconds": asked}).poll_seconds == kept


@pytest.mark.parametrize(
    "data",
    [None, [], "x", {}, {"poll_seconds": "60"}, {"poll_seconds": True}, {"poll_seconds": 0}]
    + [{"poll_seconds": float("nan")}, {"poll_seconds": 60, "devices": {}}, {"poll_seconds": -1}],
)
def test_what_is_no_assignment_is_refused_whole(data: object) -> None:
    with pytest.raises(AssignmentError):
        parse_assignment(data)


@given(devices=st.lists(ANY_JSON, max_size=4), probes=st.lists(ANY_JSON, max_size=4))
def test_no_entry_whatever_it_is_stops_the_good_one(
    devices: list[object], probes: list[object]
) -> None:
    found = parse_assignment(
        {"poll_seconds": 60, "devices": [*devices, {**DEVICE, "device": 77}], "probes": probes}
    )

    assert any(task.device == 77 for task in found.devices)


def test_the_assignment_is_kept_whole(tmp_path: Path) -> None:
    found = parse_assignment({"poll_seconds": 60, "devices": [DEVICE], "probes": [PROBE]})

    save_assignment(tmp_path, found)

    assert load_assignment(tmp_path) == found
    assert (tmp_path / "assignment.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"poll_seconds": 60, "devices": 3}', "\x00"])
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "assignment.json").write_text(text)

    assert load_assignment(tmp_path) is None


def test_it_is_asked_for_twice_an_interval_as_the_lease_on_its_tasks_needs() -> None:
    """A lease outlives one and a quarter intervals: one lost question ends no lease, two do."""
    row = {"device": 7, "address": "192.0.2.1"}
    pauses = [
        pause_after(parse_assignment({"poll_seconds": seconds, "devices": devices}))
        for seconds, devices in ((60, [row]), (10, [row]), (300, []))
    ]

    assert pauses == [30.0, 5.0, 10.0]
