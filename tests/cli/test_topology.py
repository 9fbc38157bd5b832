"""`kiemke topology` and `kiemke where`: cables as a table, as Graphviz text and as a picture."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from kiemke.cli.topology_picture import dot_of
from tests.cli.conftest import Run
from tests.support.peers import require_peer
from tests.support.rest_server import Answer, RestServer


def end(device: str | None, port: str, **said: Any) -> dict[str, Any]:
    return {
        "device": device, "port": port, "name": None, "description": None, "abilities": [],
        "addresses": [], "speed_bits_per_second": 10**9, "duplex": "full", **said,
    }  # fmt: skip


HOSTILE = 'x"]; n1 -- n9; "\\n\x1b[31m'
TOPOLOGY = {
    "devices": [
        {"code": code, "name": f"Bộ chuyển mạch {code}", "kind": "switch",
         "unit": {"code": "U2", "name": "Xã Một"}, "address": None}
        for code in ("SW-A", "SW-B")
    ],
    "cables": [
        {"near": end("SW-A", "ge24"), "far": end("SW-B", "ge24", duplex="half"),
         "protocols": ["lldp"], "since": "2026-11-21T08:00:00.000Z",
         "seen_at": "2026-11-22T04:00:00.000Z", "troubles": ["duplex_mismatch"]},
        {"near": end("SW-A", "ge1"), "far": end(None, "1", name=HOSTILE), "protocols": ["lldp"],
         "since": None, "seen_at": None, "troubles": []},
    ],
}  # fmt: skip
WHERE = {
    "kind": "machine", "ref": "7", "name": "PC-VP-01", "macs": ["02:00:00:00:00:01"],
    "addresses": ["10.0.0.7"],
    "places": [
        {"device": "SW-B", "device_name": "Bộ chuyển mạch", "port": "ge2", "vlan": 10,
         "mac": "02:00:00:00:00:01", "dock": True, "role": "phone", "because": "phone",
         "since": "2026-11-21T10:00:00.000Z", "seen_at": "2026-11-22T04:00:00.000Z", "until": None,
         "beside": [{"mac": "80:5e:c0:00:00:02", "kind": "phone", "ref": None, "name": None}]},
    ],
}  # fmt: skip


@pytest.fixture
def rest_with_topology(signed_in: RestServer) -> RestServer:
    signed_in.answers["GET", "/api/v1/topology"] = lambda asked: Answer(TOPOLOGY)
    signed_in.answers["GET", "/api/v1/whereabouts/PC-VP-01"] = lambda asked: Answer(WHERE)
    return signed_in


def test_cables_are_told_with_both_ends_and_their_trouble(
    rest_with_topology: RestServer, run: Run
) -> None:
    ran = run("so-do-mang")

    assert ran.code == 0
    for words in ("SW-A", "ge24", "SW-B", "hai đầu dây khác chế độ song công"):
        assert words in ran.out
    assert "\x1b[31m" not in ran.out


def test_a_picture_is_drawn_by_graphviz_from_text_that_no_name_can_break(
    rest_with_topology: RestServer, run: Run, tmp_path: Path
) -> None:
    require_peer("dot")
    dot, svg = tmp_path / "net.dot", tmp_path / "net.svg"

    ran = run("topology", "--dot", str(dot), "--svg", str(svg), "--lang", "en")

    assert ran.code == 0, ran.err
    drawn = ET.parse(svg).getroot()  # noqa: S314  # our own picture
    shapes = [node.get("class") for node in drawn.iter("{http://www.w3.org/2000/svg}g")]
    assert (shapes.count("node"), shapes.count("edge")) == (3, 2)
    titles = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "duplex differs at the two ends" in titles
    assert any(title.startswith('x"]; n1 -- n9; "\\n') for title in titles)
    again = run("topology", "--dot", str(dot))
    assert again.code == 1 and "--force" in again.err


def test_without_graphviz_a_picture_says_what_to_do(
    rest_with_topology: RestServer, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    ran = run("topology", "--svg", str(tmp_path / "net.svg"))

    assert ran.code == 1
    assert "apt install graphviz" in ran.err
    assert not (tmp_path / "net.svg").exists()


def test_a_things_with_no_device_of_ours_are_drawn_dashed() -> None:
    text = dot_of(TOPOLOGY, "Mạng")

    assert text.count("style=dashed") == 1
    assert '\\"' in text and "\x1b" not in text


def test_where_tells_the_port_since_when_and_who_else_is_there(
    rest_with_topology: RestServer, run: Run
) -> None:
    ran = run("o-dau", "PC-VP-01")

    assert ran.code == 0
    for words in ("PC-VP-01", "SW-B", "ge2", "21/11/2026 17:00", "Đế cắm"):
        assert words in ran.out
