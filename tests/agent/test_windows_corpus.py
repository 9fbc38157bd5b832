"""The sensors' true code on the registries of real PCs; skipped where the corpus is not there."""

from typing import Any

import pytest

from kiemke.wire.inventory import LastUser, Processor
from tests.support.windows import CORPUS, RecordedWindows, read_sections

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}")
ASKED = ("printers", "usb", "software", "adapters", "firewall", "last_user", "smbios")


def read(*names: str) -> dict[str, tuple[Any, ...]]:
    """Return the sections of a Windows whose registry these recordings are."""
    windows = RecordedWindows()
    for name in names:
        windows.winreg.load(CORPUS / name)
    return read_sections(windows, *ASKED)


def test_a_usb_printer_has_the_serial_of_its_place_on_usb() -> None:
    (printer,) = read("7-USB.reg", "7-USBPRINT.reg")["printers"]

    assert printer.name == "hp deskjet 5550 series (HPA)"
    assert (printer.port, printer.connection, printer.serial) == ("USB001", "usb", "MY26K1K34C2L")


def test_usb_devices_come_with_their_ids_and_no_made_up_serials() -> None:
    devices = read("7-USB.reg")["usb"]

    assert len(devices) == 15
    by_ids = {(one.vendor_id, one.product_id): one for one in devices}
    assert by_ids["046d", "08c9"].serial == "6BE882AB"
    assert by_ids["046d", "08c9"].kind == "camera", "a composite device is what its functions are"
    assert by_ids["067b", "3507"].serial is None, "a serial of zeros is none"
    assert [one for one in devices if one.serial and "&" in one.serial] == []
    # The keys of what was plugged in when it was recorded have a Control key.
    assert {one.product_id for one in devices if one.is_present} == {"c03e", "c30a", "179c"}


def test_programs_come_with_version_publisher_day_and_plain_words() -> None:
    programs = {one.name: one for one in read("mssql-Uninstall.reg")["software"]}

    assert len(programs) == 7
    git = programs["Git version 2.12.2.2"]
    assert (git.version, git.publisher) == ("2.12.2.2", "The Git Development Community")
    assert (git.installed_on, git.plain_name) == ("2017-05-02", "git")
    assert programs["Mozilla Firefox 57.0.2 (fr)"].plain_name == "mozilla firefox"
    assert programs["Strawberry Perl (64-bit)"].plain_name == "strawberry perl"
    agent = programs["FusionInventory Agent 2.4.x-build-26 (x64 edition)"]
    assert agent.plain_name == "fusioninventory agent"
    assert programs["Microsoft SQL Server 2017"].plain_name == "microsoft sql server 2017"


def test_connections_are_told_apart_by_their_devices() -> None:
    adapters = {one.name: one.kind for one in read("7-Network.reg")["adapters"]}

    assert adapters["Connexion au réseau local"] == "ethernet"
    assert adapters["Connexion réseau Bluetooth"] == "bluetooth"
    assert {kind for name, kind in adapters.items() if "*" in name or "isatap" in name} == {
        "virtual"
    }


def test_the_firewalls_profiles_are_read() -> None:
    names = ("10-DomainProfile.reg", "10-PublicProfile.reg", "10-StandardProfile.reg")

    assert [(one.profile, one.is_on) for one in read(*names)["firewall"]] == [
        ("domain", True), ("private", True), ("public", True),
    ]  # fmt: skip


def test_the_last_user_is_told_with_the_domain_and_without_a_dot() -> None:
    assert read("7-AD-LogonUI.reg")["last_user"] == (LastUser("teclib", "AD"),)
    assert read("10-StandAlone-LogonUI.reg")["last_user"] == (LastUser("teclib"),)


def test_processors_come_from_the_registry_where_there_is_no_table() -> None:
    assert read("7-CentralProcessor.reg")["processors"] == (
        Processor("Intel(R) Core(TM) i5-2300 CPU @ 2.80GHz", threads=4, max_mhz=2809),
    )
