"""KHAO-SAT.cmd under Wine, which has no PowerShell: what reg and wmic print, read by the decoder.

Wine's firmware table is empty and it has no monitors; those are imported from recordings.
"""

from pathlib import Path
from typing import Any

import pytest

from kiemke.agent import one_shot
from kiemke.cli import i18n
from kiemke.cli.source_kit import scripts
from tests.support.surveys import monitor, windows_table
from tests.support.wine import WindowsPc

DISPLAY = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Enum\DISPLAY\DEL4023\4&1&UID1"
FIRMWARE = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\mssmbios\Data"


def hexadecimal(data: bytes) -> str:
    return "hex:" + ",".join(f"{byte:02x}" for byte in data)


@pytest.fixture
def stick(pc: WindowsPc, tmp_path: Path) -> Path:
    """The scripts on a stick, and a registry with a firmware table and a monitor."""
    registry = tmp_path / "pc.reg"
    text = (
        "Windows Registry Editor Version 5.00\r\n\r\n"
        f'[{FIRMWARE}]\r\n"SMBiosData"={hexadecimal(windows_table("WINE001"))}\r\n\r\n'
        f'[{DISPLAY}\\Device Parameters]\r\n"EDID"={hexadecimal(monitor())}\r\n\r\n'
        f"[{DISPLAY}\\Control]\r\n"
    )
    registry.write_text(text, "utf-16", newline="")
    pc.import_registry(registry)
    folder = pc.drive / "survey"
    folder.mkdir()
    i18n.use("vi")
    for name, data in scripts().items():
        (folder / name).write_bytes(data)
    return folder


def test_without_powershell_reg_and_wmic_tell_all_the_same(pc: WindowsPc, stick: Path) -> None:
    # Of a pipe Wine's cmd gives all there is to the first question.
    ran = pc.run("cmd", "/c", r"C:\survey\KHAO-SAT.cmd", text='Tran & Binh > "100%"\n')
    assert ran.returncode == 0, ran
    (file,) = stick.glob("*.kiemke.txt")
    seen = one_shot.decode(file.read_bytes())
    sections: dict[str, tuple[Any, ...]] = dict(seen.sections)

    assert f"XONG: C:\\survey\\{file.name}" in ran.stdout
    assert sections["system"][0].serial == "WINE001"
    assert [one.serial for one in sections["monitors"]] == ["CN0FT1"]
    assert sections["disks"][0].size_bytes
    (claim,) = sections["claimed_holder"]
    assert claim.holder == 'Tran & Binh > "100%"', "no part of it was run, or put in"
    assert f"{seen.hostname}.kiemke.txt" == file.name
