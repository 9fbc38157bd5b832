"""Files of PCs that cannot run the agent, as the scripts of the kit write them."""

import struct

from tests.support.firmware import descriptor, edid, structure, table_end

UUID_BYTES = bytes.fromhex("823e0f85389f4a6988402f8b0cf5d3d0")


def windows_table(serial: str = "7XK2M93", uuid: bytes = UUID_BYTES) -> bytes:
    """Return a firmware table behind Windows' eight bytes."""
    table = (
        structure(
            1, bytes([1, 2, 0, 3]) + uuid + bytes([6, 0, 0]), "Dell Inc.", "OptiPlex 380", serial
        )
        + structure(2, bytes([1, 2, 0, 3]), "Dell Inc.", "0J37VM", f"/{serial}/CN/")
        + structure(3, bytes([1, 0x80 | 3, 0, 2, 3]), "Dell Inc.", serial, "TS-0042")
        + table_end()
    )
    return bytes([0, 2, 8, 0]) + struct.pack("<I", len(table)) + table


def monitor(serial: str = "CN0FT1") -> bytes:
    """Return the EDID of a monitor."""
    return edid(
        descriptors=(descriptor(0xFC, b"DELL E1911\n"), descriptor(0xFF, serial.encode() + b"\n"))
    )


def by_powershell(
    day: str = "2026-02-20", host: str = "PC-KETOAN", serial: str = "7XK2M93"
) -> bytes:
    """Return what khao-sat.ps1 writes on Windows 7; its disk gives its serial in swapped hexadecimal."""
    plain = b"     WD-WCC2EABC1234"
    swapped = b"".join(plain[n + 1 : n + 2] + plain[n : n + 1] for n in range(0, 20, 2)).hex()
    lines = (
        "kiemke-one-shot|1",
        f"taken|{day} 08:15",
        f"host|{host}",
        "os|Microsoft Windows 7 Professional|6.1.7601|x86",
        "holder|Trần Thị Bình",
        "tag|TS-0042",
        f"smbios|{windows_table(serial).hex().upper()}",
        f"edid|{monitor().hex().upper()}",
        f"disk|WDC WD5000AAKX ATA Device|{swapped.upper()}|500105249280|IDE|Fixed hard disk media",
        "disk|Kingston DataTraveler USB Device||8004304896|USB|Removable Media",
        "adapter|00:24:E8:11:22:33|Realtek PCIe GBE Family Controller|PCI\\VEN_10EC&DEV_8168\\4&1",
        "adapter|20:41:53:59:4E:FF|RAS Async Adapter|SW\\{EEAB7790}\\ASYNCMAC",
        "end",
    )
    return ("\r\n".join(lines) + "\r\n").encode()


def wmic(kind: str, *rows: tuple[str, ...]) -> list[str]:
    """Return a table as wmic prints it through "for /f": columns by the widest, a CR at each end."""
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    lines = ["".join(v.ljust(w) for v, w in zip(row, widths, strict=True)) for row in rows]
    return [f"wmic-{kind}|{line}\r" for line in (*lines, "")]


def by_cmd(day: str = "2026-02-20", host: str = "PC-XP") -> bytes:
    """Return what KHAO-SAT.cmd writes without PowerShell: as reg and wmic print, blanks and CRs included."""
    display = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Enum\DISPLAY\DEL4023"
    lines = (
        "kiemke-one-shot|1", f"taken|{day}", f"host|{host}",
        "os|Microsoft Windows 7 Professional\r|6.1.7601\r|x86",
        *wmic("disk", ("InterfaceType", "MediaType", "Model", "SerialNumber", "Size"),
              ("IDE", "Fixed hard disk media", "ST3500418AS ATA Device", "9VM1ABCD", "500105249280"),
              ("USB", "Removable Media", "USB DISK", "", "")),
        *wmic("nic", ("MACAddress", "Name", "PNPDeviceID"),
              ("", "WAN Miniport (SSTP)", "ROOT\\X"),
              ("00:24:E8:44:55:66", "Atheros 802.11n Wireless", "PCI\\VEN_168C\\1")),
        "", r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\mssmbios\Data",
        f"    SMBiosData    REG_BINARY    {windows_table('8ABC999').hex().upper()}",
        "", rf"{display}\4&1&UID1", "    DeviceDesc    REG_SZ    @monitor.inf;Màn hình",
        "", rf"{display}\4&1&UID1\Device Parameters",
        f"    EDID    REG_BINARY    {monitor('OLD').hex().upper()}",
        "", rf"{display}\4&1&UID2\Device Parameters",
        f"    EDID    REG_BINARY    {monitor('NOW').hex().upper()}",
        "", rf"{display}\4&1&UID2\Control",
        "end",
    )  # fmt: skip
    return ("\r\n".join(lines) + "\r\n").encode("cp1258", "replace")
