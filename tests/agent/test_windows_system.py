"""What Windows' registry says of the system and its guards, as recorded, through the true code."""

from datetime import UTC, datetime, timedelta

import pytest

from kiemke.agent.windows import antivirus, system
from kiemke.agent.windows.registry import EPOCH, moment, shown
from kiemke.wire.inventory import Hotfix
from tests.support.windows import RecordedWindows
from tests.support.windows import read_sections as read

CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
SID = r"HKU\S-1-5-21-1-2-3-1001"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def windows() -> RecordedWindows:
    return RecordedWindows(now=NOW)


def filetime(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 10


@pytest.mark.parametrize(
    ("build", "name"), [("19045", "Windows 10 Pro"), ("22000", "Windows 11 Pro")]
)
def test_windows_11_is_told_by_its_build(windows: RecordedWindows, build: str, name: str) -> None:
    windows.winreg.put(
        CURRENT, ProductName="Windows 10 Pro", CurrentBuild=build, UBR=3803, EditionID="Professional",
        DisplayVersion="22H2", InstallDate=1_600_000_000, DigitalProductId=b"secret",
    )  # fmt: skip
    (row,) = read(windows, "operating_system")["os"]

    assert (row.name, row.build, row.version) == (name, f"{build}.3803", "22H2")
    assert (row.edition, row.installed_on) == ("Professional", "2020-09-13")
    assert "secret" not in repr(row)


def test_a_system_that_says_nothing_of_itself_is_still_a_windows(windows: RecordedWindows) -> None:
    row = system.read(windows, is_live=False)

    assert (row.family, row.name, row.build, row.installed_on) == ("windows", None, None, None)


def test_programs_of_both_views_of_a_user_and_of_the_store(windows: RecordedWindows) -> None:
    uninstall = r"Microsoft\Windows\CurrentVersion\Uninstall"
    windows.winreg.put(
        rf"HKLM\SOFTWARE\{uninstall}\7z", DisplayName="7-Zip 23.01 (x64)", DisplayVersion="23.01"
    )
    windows.winreg.put(rf"HKLM\SOFTWARE\{uninstall}\AddressBook", NoRemove=1)
    windows.winreg.put(
        rf"HKLM\SOFTWARE\Wow6432Node\{uninstall}\U", DisplayName="UniKey", Publisher="Phạm Kim Long"
    )
    windows.winreg.put(
        rf"{SID}\SOFTWARE\{uninstall}\Zalo", DisplayName="Zalo 24.1", DisplayVersion="24.1"
    )
    windows.winreg.put(rf"{CURRENT}\ProfileList\{SID[4:]}", ProfileImagePath=r"C:\Users\an")
    windows.winreg.put(
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications"
        r"\Microsoft.WindowsCalculator_11.2210.0.0_x64__8wekyb3d8bbwe", Path="x",
    )  # fmt: skip
    found = {one.name: one for one in read(windows, "software")["software"]}

    assert found.keys() == {
        "7-Zip 23.01 (x64)",
        "UniKey",
        "Zalo 24.1",
        "Microsoft.WindowsCalculator",
    }
    assert found["7-Zip 23.01 (x64)"].architecture == "x86_64"
    assert found["UniKey"].architecture == "x86"
    assert (found["Zalo 24.1"].user, found["Zalo 24.1"].plain_name) == ("an", "zalo")
    assert found["Microsoft.WindowsCalculator"].version == "11.2210.0.0"


UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"


@pytest.mark.parametrize(
    ("key", "values", "kind"),
    [
        ("WinRAR archiver", {"DisplayName": "WinRAR 6.24 (64-bit)"}, None),
        ("{A}", {"DisplayName": "vs_minshellmsi", "SystemComponent": 1}, "component"),
        ("{A}", {"DisplayName": "Odd", "SystemComponent": "0"}, None),
        ("{A}", {"DisplayName": "Fix", "ParentKeyName": "Office15.PROPLUS"}, "update"),
        ("{A}", {"DisplayName": "Fix", "ReleaseType": "Security Update"}, "update"),
        ("KB2565063", {"DisplayName": "Microsoft Visual C++ 2010 SP1"}, "update"),
        ("{A}.KB2151757", {"DisplayName": "Microsoft Visual C++ 2010"}, "update"),
        ("{A}", {"DisplayName": "Update for Office (KB2494150) 32-Bit Edition"}, "update"),
        ("{A}", {"DisplayName": "KBStudio 12"}, None),
    ],
)  # fmt: skip
def test_what_windows_itself_does_not_list_is_told_apart(
    windows: RecordedWindows, key: str, values: dict[str, object], kind: str | None
) -> None:
    windows.winreg.put(rf"HKLM\{UNINSTALL}\{key}", **values)

    assert [one.kind for one in read(windows, "software")["software"]] == [kind]


@pytest.mark.parametrize(
    ("values", "version", "installed_on", "size_bytes"),
    [
        ({"DisplayVersion": "1.2", "InstallDate": "20260228", "EstimatedSize": 3}, "1.2", "2026-02-28", 3072),
        ({"InstallDate": "2026-2-28", "VersionMajor": 5, "VersionMinor": 24}, "5.24", "2026-02-28", None),
        ({"InstallDate": "20260230", "MajorVersion": 7, "EstimatedSize": 0}, "7.0", None, None),
        # Whether this is the second of March or the third of February nobody can say.
        ({"InstallDate": "02/03/2026", "Version": 0x05180001}, "5.24.1", None, None),
        ({"InstallDate": "", "EstimatedSize": "2048"}, None, None, 2 << 20),
    ],
)  # fmt: skip
def test_versions_days_and_sizes_as_installers_write_them(
    windows: RecordedWindows,
    values: dict[str, object],
    version: str | None,
    installed_on: str | None,
    size_bytes: int | None,
) -> None:
    windows.winreg.put(rf"HKLM\{UNINSTALL}\A", DISPLAYNAME="A", **values)
    (one,) = read(windows, "software")["software"]

    assert (one.version, one.installed_on, one.size_bytes) == (version, installed_on, size_bytes)


def test_updates_in_use_are_told_by_number_or_build(windows: RecordedWindows) -> None:
    root = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"
    at = filetime(datetime(2026, 11, 12, tzinfo=UTC))
    when = {"InstallTimeHigh": at >> 32, "InstallTimeLow": at & 0xFFFFFFFF}
    tail = "~31bf3856ad364e35~amd64~~"
    for name, state in (
        (f"Package_for_KB5031445{tail}19041.1.0.1", 0x70),
        (f"Package_1_for_KB5031445{tail}19041.1.0.1", 0x70),
        (f"Package_for_KB5000001{tail}1.0", 0x50),  # replaced by a later one
        (f"Package_for_RollupFix{tail}19041.3803.1.12", 0x70),
        (f"Package_for_RollupFix{tail}19041.3930.1.12", 0x70),
    ):
        windows.winreg.put(rf"{root}\{name}", CurrentState=state, **when)

    assert read(windows, "hotfixes")["hotfixes"] == (
        Hotfix("KB5031445", "2026-11-12"),
        Hotfix("cumulative", "2026-11-12", "19041.3930"),
    )


def put_defender(windows: RecordedWindows, signed: datetime) -> None:
    windows.winreg.put(rf"{SERVICES}\WinDefend", Start=2, Type=16)
    windows.winreg.put(
        rf"{antivirus.DEFENDER}\Signature Updates",
        AVSignatureVersion="1.403.1.0", SignaturesLastUpdated=filetime(signed).to_bytes(8, "little"),
    )  # fmt: skip


@pytest.mark.parametrize(("days", "current"), [(2, True), (30, False)])
def test_defender_is_judged_by_its_own_keys(
    windows: RecordedWindows, days: int, current: bool
) -> None:
    put_defender(windows, NOW - timedelta(days=days))
    (row,) = read(windows, "antivirus")["antivirus"]

    assert (row.name, row.is_on, row.is_current) == (antivirus.DEFENDER_NAME, True, current)
    assert row.signatures_version == "1.403.1.0"


def test_security_centers_word_wins_over_what_files_say(windows: RecordedWindows) -> None:
    put_defender(windows, NOW)
    windows.winreg.put(rf"{SERVICES}\AVP21.3", Start=2, Type=16)
    windows.probes["antivirus"] = [
        {"name": "Windows Defender", "state": 1, "signatures": 1},
        {"name": "Kaspersky Endpoint Security", "state": 0, "signatures": 0},
        {"name": " "}, "odd",
    ]  # fmt: skip
    rows = {one.name: one for one in read(windows, "antivirus")["antivirus"]}

    assert rows.keys() == {antivirus.DEFENDER_NAME, "Kaspersky"}
    assert (rows[antivirus.DEFENDER_NAME].is_on, rows["Kaspersky"].is_on) == (False, True)
    assert rows["Kaspersky"].is_current is False


def test_remote_tools_and_windows_own_desktop_are_flagged(windows: RecordedWindows) -> None:
    windows.winreg.put(rf"{SERVICES}\UltraViewService", Start=2, Type=16)
    windows.winreg.put(rf"{SERVICES}\TeamViewerVPN", Start=3, Type=1)  # a driver alone
    windows.winreg.put(antivirus.TERMINAL, fDenyTSConnections=0)

    assert [one.name for one in read(windows, "remote_tools")["remote_tools"]] == [
        "Remote Desktop", "UltraViewer",
    ]  # fmt: skip


def test_the_settings_an_auditor_asks_for(windows: RecordedWindows) -> None:
    policies = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies"
    windows.winreg.put(rf"{CURRENT}\Winlogon", AutoAdminLogon="1", DefaultPassword="hunter2")
    windows.winreg.put(rf"HKLM\{policies}\Explorer", NoDriveTypeAutoRun=0xFF)
    windows.winreg.put(rf"HKLM\{policies}\System", EnableLUA=1)
    windows.winreg.put(
        rf"{SID}\Control Panel\Desktop",
        ScreenSaveActive="1", ScreenSaverIsSecure="1", ScreenSaveTimeOut="600",
    )  # fmt: skip
    windows.winreg.put(r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager", x=1)
    (row,) = read(windows, "security")["security"]

    assert (row.is_auto_logon, row.is_autorun_off, row.is_uac_on) == (True, True, True)
    assert (row.screen_lock_seconds, row.is_reboot_pending) == (600, False)
    assert "hunter2" not in repr(row)
    windows.winreg.put(rf"{SID[:-4]}1002\Control Panel\Desktop", ScreenSaveActive="0")
    assert read(windows, "security")["security"][0].screen_lock_seconds == 0, "one never locks"


def test_the_clocks_source_is_told(windows: RecordedWindows) -> None:
    path = rf"{SERVICES}\W32Time\Parameters"
    windows.winreg.put(path, Type="NTP", NtpServer="time.windows.com,0x9 vn.pool.ntp.org,0x8")

    (row,) = read(windows, "time_source")["time"]
    assert (row.kind, row.servers) == ("ntp", ("time.windows.com", "vn.pool.ntp.org"))


def test_moments_and_indirect_words_that_are_odd_say_nothing() -> None:
    assert moment(0) is None and moment(2**63 - 1) is None
    assert moment(filetime(NOW)) == NOW
    assert (shown("@a.inf,%b%;Root Hub"), shown("plain; text"), shown("@only")) == (
        "Root Hub", "plain; text", "@only",
    )  # fmt: skip
