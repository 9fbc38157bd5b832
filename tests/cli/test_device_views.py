"""`kiemke device`: ports with their errors, why a poll failed, and a configuration that nothing can be compared with."""

from typing import Any

from tests.cli.conftest import Run
from tests.support.rest_server import Answer, RestServer

VERSION = {"id": 3, "read_at": "2026-11-21T08:00:00.000Z"}
PORT = {
    "name": "ge1", "alias": None, "oper_up": True, "speed_bits_per_second": 10**9, "duplex": "half",
    "state_at": None, "state_changes": 2, "in_errors": "12345", "out_errors": "7",
    "in_discards": "0", "out_discards": "0", "in_octets": "18446744073709551615", "out_octets": "0",
    "read_at": "2026-11-21T08:00:00.000Z",
}  # fmt: skip
DEVICE: dict[str, Any] = {
    "id": 1, "code": "SW-01", "name": "Bộ chuyển mạch", "kind": "switch", "outcome": "unreachable",
    "detail": "the device is there, but nobody listens on that UDP port: is SNMP on, the port right?",
    "interfaces": [PORT],
}  # fmt: skip


def test_a_port_shows_its_errors_and_the_rest_when_asked(signed_in: RestServer, run: Run) -> None:
    signed_in.answers["GET", "/api/v1/devices/SW-01"] = lambda asked: Answer(DEVICE)

    narrow, wide = run("device", "show", "SW-01"), run("thiet-bi", "xem", "SW-01", "--rong")

    assert "12.345" in narrow.out and "bán song công" in narrow.out
    assert "SNMP đã bật chưa" in narrow.out
    assert "không đủ chỗ cho:" in narrow.out and "Đọc lúc (--wide)" in " ".join(narrow.out.split())
    assert "16.384 PiB" in wide.out and "21/11/2026 15:00" in wide.out
    assert "không đủ chỗ cho" not in wide.out


def test_one_version_alone_is_told_as_nothing_to_compare_with(
    signed_in: RestServer, run: Run
) -> None:
    found = {"before": VERSION, "after": VERSION, "lines": []}
    signed_in.answers["GET", "/api/v1/devices/SW-01/config-diff"] = lambda asked: Answer(found)
    signed_in.answers["GET", "/api/v1/devices/SW-01"] = lambda asked: Answer(DEVICE)

    alone = run("device", "config", "diff", "SW-01")
    found["before"] = {**VERSION, "id": 2}
    same = run("device", "config", "diff", "SW-01")

    assert alone.out.startswith("chưa có gì để so: chỉ có phiên bản 3")
    assert same.out.startswith("không có thay đổi từ phiên bản 2")
