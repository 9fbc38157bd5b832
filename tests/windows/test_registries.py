"""Registries of real PCs, imported by regedit and read through the real winreg by the agent."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from tests.support.windows import CORPUS, RecordedWindows, read_sections
from tests.support.wine import WindowsPc

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
SECTIONS = ("software", "usb", "printers", "firewall", "last_user")
# A 64-bit Windows' 32-bit view, a user's own program, the Store's app, a component and an update:
# the recordings have none of these.
OWN = """Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Wow6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\UniKey]
"DisplayName"="UniKey 4.3 – bộ gõ tiếng Việt"
"DisplayVersion"="4.3"
"InstallDate"="20260102"
"EstimatedSize"=dword:00000400

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\{0A}]
"DisplayName"="Visual C++ Runtime"
"SystemComponent"=dword:00000001

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\{0B}]
"DisplayName"="Update for Office (KB2494150)"
"ParentKeyName"="Office"

[HKEY_USERS\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Zalo]
"DisplayName"="Zalo 24.1"
"Publisher"="VNG Corp."

[HKEY_USERS\\S-1-5-21-1-2-3-1001_Classes\\Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppModel\\Repository\\Packages\\Microsoft.WindowsCalculator_11.2210.0.0_x64__8wekyb3d8bbwe]
"DisplayName"="@{Microsoft.WindowsCalculator}"

[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-1-2-3-1001]
"ProfileImagePath"="C:\\\\Users\\\\Nguyễn Văn An"
"""


@pytest.fixture(scope="module")
def inventory(pc: WindowsPc, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The sections of the agent's inventory after all were imported."""
    own = tmp_path_factory.mktemp("registry") / "own.reg"
    own.write_text(OWN, "utf-16", newline="\r\n")
    for file in (*sorted(CORPUS.glob("*.reg")), own):
        pc.import_registry(file)
    found: dict[str, Any] = json.loads(pc.agent("inventory", "--state", r"C:\registry").stdout)
    return found


def recorded() -> dict[str, tuple[Any, ...]]:
    """Return what the same code finds in the same files behind the names of winreg."""
    windows = RecordedWindows()
    for file in sorted(CORPUS.glob("*.reg")):
        windows.winreg.load(file)
    return read_sections(windows, *SECTIONS)


@pytest.mark.parametrize("section", ["usb", "printers", "firewall", "last_user"])
def test_the_real_winreg_tells_what_the_recordings_hold(
    inventory: dict[str, Any], section: str
) -> None:
    assert inventory[section]["rows"] == [asdict(one) for one in recorded()[section]]


def test_a_usb_printers_serial_comes_from_its_place_on_usb(inventory: dict[str, Any]) -> None:
    (printer,) = inventory["printers"]["rows"]

    assert (printer["name"], printer["port"]) == ("hp deskjet 5550 series (HPA)", "USB001")
    assert (printer["connection"], printer["serial"]) == ("usb", "MY26K1K34C2L")


def test_programs_of_both_views_of_a_user_and_of_the_store(inventory: dict[str, Any]) -> None:
    rows = inventory["software"]["rows"]
    found = {
        one["name"]: {name: value for name, value in one.items() if value is not None}
        for one in rows
    }

    assert len(found) == 12
    assert found["Git version 2.12.2.2"] == {
        "name": "Git version 2.12.2.2",
        "version": "2.12.2.2",
        "publisher": "The Git Development Community",
        "architecture": "x86_64",
        "origin": "registry",
        "installed_on": "2017-05-02",
        "plain_name": "git",
        "plain_publisher": "the git development community",
        "size_bytes": 218102 * 1024,
    }
    unikey = found["UniKey 4.3 – bộ gõ tiếng Việt"]
    assert (unikey["architecture"], unikey["size_bytes"]) == ("x86", 1 << 20)
    assert (found["Zalo 24.1"]["origin"], found["Zalo 24.1"]["user"]) == ("user", "Nguyễn Văn An")
    assert found["Zalo 24.1"]["plain_publisher"] == "vng"
    calculator = found["Microsoft.WindowsCalculator"]
    assert (calculator["origin"], calculator["version"]) == ("store", "11.2210.0.0")
    assert {name: one["kind"] for name, one in found.items() if "kind" in one} == {
        "Visual C++ Runtime": "component",
        "Update for Office (KB2494150)": "update",
    }
