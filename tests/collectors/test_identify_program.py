"""``kiemke-collector probe snmp`` against a real snmpd: hosts, a file of targets, and what is wrong."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiemke.collectors import probe
from kiemke.collectors.main import main
from tests.support.peers import SnmpdPeer
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.snmp_polls import v2c
from tests.support.snmp_proxy import Fate, relay

MakeSnmpd = Callable[..., SnmpdPeer]


def write_targets(folder: Path, *targets: dict[str, Any]) -> str:
    """Write a file of targets, one JSON object a line, and return its path."""
    path = folder / "targets.jsonl"
    path.write_text("".join(json.dumps(target) + "\n" for target in targets))
    return str(path)


def test_a_file_of_targets_gives_one_json_line_each(
    snmpd: MakeSnmpd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The right community is answered, the wrong one is silence: told as an error, not as nothing."""
    vigor = snmpd(
        "sysName r-1\nsysLocation Phòng máy\nsysDescr DrayTek Corporation, Router Model: Vigor2927, "
        "Version: 4.4.2, Build Date/Time:x\nsysObjectID 1.3.6.1.4.1.7367\n"
    )
    right = {"id": "a", "host": vigor.host, "port": vigor.port, "community": vigor.community}
    file = write_targets(tmp_path, right, right | {"id": "b", "community": "not-this-one"})

    status = main(["--state", str(tmp_path), "probe", "snmp", "--targets", file, "--json"])
    output = capsys.readouterr()
    rows = {row["id"]: row for row in map(json.loads, output.out.splitlines())}

    assert status == 1
    assert [rows["a"][key] for key in ("vendor", "kind", "model", "version", "name")] == [
        "DrayTek",
        "router",
        "Vigor2927",
        "4.4.2",
        "r-1",
    ]
    assert rows["a"]["location"] == "Phòng máy"
    assert rows["a"]["error"] is None
    assert "lo" in [port["name"] for port in rows["a"]["interfaces"]]
    assert "no answer" in rows["b"]["error"]
    assert rows["b"]["model"] is None
    assert vigor.community not in output.out + output.err


def test_a_host_is_asked_with_a_credential_of_the_state_folder(
    snmpd: MakeSnmpd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peer = snmpd("sysName pc-1\n")
    path = tmp_path / "credentials.toml"
    path.touch(mode=0o600)
    path.write_text(
        f'[core]\nversion = "3"\nuser = "{peer.user}"\nauth_protocol = "SHA256"\n'
        f'auth_key = "{peer.auth_key}"\nprivacy_protocol = "AES128"\n'
        f'privacy_key = "{peer.priv_key}"\n'
    )

    status = main(["--state", str(tmp_path), "probe", "snmp", peer.address, "--credential", "core"])
    shown = capsys.readouterr().out

    assert status == 0
    assert shown.splitlines()[0] == peer.address
    assert "pc-1" in shown
    assert "server" in shown
    assert "interfaces" in shown


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"host": "127.0.0.1", "community": "s3cret-word"', "line 1: not a JSON object"),
        ('{"community": "s3cret-word"}', 'needs an object with "host"'),
        ('{"host": "127.0.0.1", "colour": "red"}', 'unknown key "colour"'),
        ('{"host": "127.0.0.1", "port": 70000}', '"port" must be a number'),
        ('{"host": "127.0.0.1"}', "no [default] in credentials.toml"),
    ],
)
def test_a_wrong_line_is_told_by_its_number_and_shows_no_community(
    line: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "targets.jsonl"
    path.write_text(line + "\n")

    status = main(["--state", str(tmp_path), "probe", "snmp", "--targets", str(path)])
    errors = capsys.readouterr().err

    assert status == 2
    assert told in errors
    assert "s3cret-word" not in errors


def test_nobody_to_ask_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--state", str(tmp_path), "probe", "snmp"]) == 2
    assert "--targets FILE" in capsys.readouterr().err


def test_a_forbidden_address_is_an_error_of_that_target_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A multicast address in a list must not be asked, and must not keep the others from it."""
    file = write_targets(tmp_path, {"host": "224.0.0.1", "community": "x"})

    status = main(["--state", str(tmp_path), "probe", "snmp", "--targets", file, "--json"])

    assert status == 1
    assert "multicast" in json.loads(capsys.readouterr().out)["error"]


async def test_where_answers_come_late_silence_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both tries at one device are lost; the answers of another come late."""
    monkeypatch.setattr(probe, "LATE_SECONDS", 0.05)
    out = io.StringIO()
    lost: Fate = lambda number, data: [] if number < 2 else [(0.0, data)]  # noqa: E731
    slow: Fate = lambda number, data: [(0.1, data)]  # noqa: E731
    async with (
        serving(TableView(switch(2))) as port,
        relay("127.0.0.1", port, to_agent=lost) as deaf,
        relay("127.0.0.1", port, to_client=slow) as late,
    ):
        targets = [
            probe.Target(name, "127.0.0.1", line.port, v2c(COMMUNITY))
            for name, line in (("deaf", deaf), ("late", late))
        ]
        silent = await probe.probe_all(
            targets, as_json=True, debug=False, out=out, patience_seconds=1.0
        )

    rows = {row["id"]: row for row in map(json.loads, out.getvalue().splitlines())}
    assert (silent, rows["deaf"]["error"], len(rows["deaf"]["interfaces"])) == (0, None, 2)
    assert len(rows) == 2 and rows["late"]["name"] == "sw-1"
