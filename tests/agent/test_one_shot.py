"""Files of PCs that cannot run the agent: written by scripts, read by the ordinary decoders."""

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from kiemke.agent import one_shot
from kiemke.agent.commands import one_shot as writer
from kiemke.agent.decode.errors import DecodeError
from kiemke.agent.main import main
from tests.support import surveys
from tests.support.firmware import dump, structure, table_end


def sections_of(data: bytes) -> dict[str, tuple[Any, ...]]:
    """Return the rows a file tells, by section."""
    return dict(one_shot.decode(data).sections)


def test_a_powershell_file_is_read_whole() -> None:
    seen = one_shot.decode(surveys.by_powershell())
    said = sections_of(surveys.by_powershell())

    assert (seen.taken_on.isoformat(), seen.hostname) == ("2026-02-20", "PC-KETOAN")
    (system,) = said["system"]
    assert (system.manufacturer, system.product, system.serial) == (
        "Dell Inc.",
        "OptiPlex 380",
        "7XK2M93",
    )
    assert said["chassis"][0].asset_tag == "TS-0042"
    assert [(one.name, one.serial) for one in said["monitors"]] == [("DELL E1911", "CN0FT1")]
    first, second = said["disks"]
    assert (first.serial, first.size_bytes, first.bus) == ("WD-WCC2EABC1234", 500105249280, "sata")
    assert (second.serial, second.bus, second.removable) == (None, "usb", True)
    assert [(one.permanent_mac, one.kind) for one in said["adapters"]] == [
        ("00:24:e8:11:22:33", "ethernet")
    ], "what programs make is no adapter of this PC"
    assert said["os"][0].name == "Microsoft Windows 7 Professional"
    assert (said["claimed_holder"][0].holder, said["claimed_holder"][0].tag) == (
        "Trần Thị Bình", "TS-0042",
    )  # fmt: skip


def test_what_reg_and_wmic_print_is_read_too() -> None:
    said = sections_of(surveys.by_cmd())

    assert said["system"][0].serial == "8ABC999"
    assert [one.serial for one in said["monitors"]] == ["NOW"], "only what is plugged in"
    assert [(one.model, one.serial, one.size_bytes) for one in said["disks"]] == [
        ("ST3500418AS ATA Device", "9VM1ABCD", 500105249280), ("USB DISK", None, None),
    ]  # fmt: skip
    assert [(one.permanent_mac, one.kind) for one in said["adapters"]] == [
        ("00:24:e8:44:55:66", "wireless")
    ]


def test_utf_16_as_old_powershell_writes_is_read() -> None:
    again = surveys.by_powershell().decode().encode("utf-16")

    assert one_shot.decode(again) == one_shot.decode(surveys.by_powershell())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the first line is not"),
        (b"<html>", "the first line is not"),
        (b"kiemke-one-shot|2\nend\n", "the first line is not"),
        (surveys.by_powershell()[:-6], "cut short"),
        (b"kiemke-one-shot|1\nhost|A\nend\n", "nobody knows of which day"),
        (b"kiemke-one-shot|1\ntaken|2026-13-40\nend\n", "nobody knows of which day"),
        (
            b"kiemke-one-shot|1\ntaken|2026-01-02\nhost|A\nsmbios|zz\nend\n",
            "nothing tells which PC",
        ),
        (b"kiemke-one-shot|1\n" + b"x" * (9 << 20), "over 8 MB"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        one_shot.decode(data)


def test_this_machine_is_written_and_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Linux counterpart: the same file, of a recorded machine."""
    table = structure(
        1, bytes([1, 2, 0, 3]) + surveys.UUID_BYTES + bytes([6, 0, 0]), "LENOVO", "ThinkCentre", "PC0X1"
    ) + table_end()  # fmt: skip
    whole = dump((2, 8), table)
    tables = tmp_path / "sys/firmware/dmi/tables"
    tables.mkdir(parents=True)
    (tables / "smbios_entry_point").write_bytes(whole[:32])
    (tables / "DMI").write_bytes(whole[32:])
    port = tmp_path / "sys/class/drm/card0-HDMI-A-1"
    port.mkdir(parents=True)
    (port / "edid").write_bytes(surveys.monitor())
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("pc-may\n")
    file = tmp_path / "pc.kiemke.txt"

    assert writer.run(tmp_path, file) == 0
    capsys.readouterr()
    assert main(["decode", "one-shot", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sections"]["system"][0]["serial"] == "PC0X1"
    assert told["sections"]["monitors"][0]["serial"] == "CN0FT1"


def test_the_scripts_words_are_those_the_decoder_knows() -> None:
    """No PowerShell runs here: what it writes is compared by its words."""
    script = files("kiemke.cli").joinpath("kit/survey.ps1").read_text("ascii")

    assert f"'{one_shot.FIRST}|{one_shot.VERSION}'" in script
    for word in ("taken", "host", "os", "holder", "tag", "disk", "adapter"):
        assert f"Add-Line @('{word}'," in script
    for word in ("'smbios|'", "'edid|'", "'end'"):
        assert word in script
    # What PowerShell 2.0 has not.
    for newer in ("Get-CimInstance", "ConvertTo-Json", "-in ", "[ordered]", "Out-File"):
        assert newer not in script


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="no PowerShell (pwsh) on this machine")
def test_powershell_understands_the_script(tmp_path: Path) -> None:
    text = files("kiemke.cli").joinpath("kit/survey.ps1").read_text("ascii")
    (tmp_path / "a.ps1").write_text(text)
    code = f"$null = [ScriptBlock]::Create((Get-Content -Raw '{tmp_path}/a.ps1'))"

    assert subprocess.run(["pwsh", "-NoProfile", "-Command", code]).returncode == 0
