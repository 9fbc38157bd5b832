"""Product lines written after their MIBs: what stands at an object is told as the fact that it is."""

import pytest

from kiemke.collectors.snmp.reader import Value
from tests.collectors.test_identify import ask, device

E = "1.3.6.1.4.1"
# Below E: sysObjectID; sysDescr; objects of model, version and serial with their values, "" for none; the kind.
LINES: list[tuple[str, str, dict[str, Value], str, tuple[str, str, str]]] = [
    ("664.1.1053", "", {"664.5.53.1.1.12.0": b"NetVanta 3448", "664.5.53.1.1.14.0": b"R10.9.1", "664.5.53.1.1.13.0": b"LBADTN0912XF123"}, "router", ("NetVanta 3448", "R10.9.1", "LBADTN0912XF123")),
    ("17713.21", "", {"17713.21.1.1.17.0": b"4.6.1"}, "radio_link", ("", "4.6.1", "")),
    ("17713.7", "", {"17713.7.8.3.0": b"PTP 650", "17713.7.19.1.0": b"50650-01-47"}, "radio_link", ("PTP 650", "50650-01-47", "")),
    ("47565", "", {"47565.1.1.1.19.9.0": b"N1065", "47565.1.1.1.1.0": b"6.10.3"}, "firewall", ("N1065", "6.10.3", "")),
    ("1369", "", {"1369.6.1.1.9.0": b"FW-325", "1369.6.1.1.10.0": b"AB12345678"}, "firewall", ("FW-325", "", "AB12345678")),
    ("9804", "", {"9804.3.1.1.2.1.36.0": b"P4300 G2", "9804.3.1.1.2.1.34.0": b"CZ3012ABCD"}, "storage", ("P4300 G2", "", "CZ3012ABCD")),
    ("232.165.7", "PDU", {"232.165.2.1.2.1.3.1": b"HP AF525A", "232.165.2.1.2.1.5.1": b"02.00.0005", "232.165.2.1.2.1.7.1": b"2C7410A123"}, "pdu", ("HP AF525A", "02.00.0005", "2C7410A123")),
    ("1271.1.2.27", "3942 Service Aggregation Switch", {"1271.2.1.5.1.1.4.0": b"M8765432"}, "switch", ("3942", "", "M8765432")),
    ("25053.3.1.10", "Ruckus SZ", {"25053.1.8.1.1.1.1.1.1.3.1": b"SZ104", "25053.1.8.1.1.1.1.1.1.4.1": b"5.2.2.0.317", "25053.1.8.1.1.1.1.1.1.1.1": b"501849000123"}, "wireless_controller", ("SZ104", "5.2.2.0.317", "501849000123")),
    ("55062", "", {"55062.1.12.3.0": b"TS-h973AX", "55062.1.12.6.0": b"h5.0.1", "55062.1.12.5.0": b"Q21AB12345"}, "nas", ("TS-h973AX", "h5.0.1", "Q21AB12345")),
    ("37538.2", "", {"37538.2.1000.1.1.1.0": b"7090-120", "37538.2.1000.1.1.3.0": b"CO12345678"}, "transmission", ("7090-120", "", "CO12345678")),
    ("17373.3", "", {"17373.3.1.1.0": b"WeatherGoose II", "17373.3.1.2.0": b"3.5.1"}, "sensor", ("WeatherGoose II", "3.5.1", "")),
    ("9.5.44", "Cisco Systems, Inc. WS-C6509 Cisco Catalyst Operating System Software, Version 8.4(5)GLX", {"9.5.1.2.19.0": b"SCA043801A1"}, "switch", ("WS-C6509", "8.4(5)GLX", "SCA043801A1")),
    ("6876.4.7", "VMware-vCenter-Server-Appliance 6.5.0.5500 build-5973321 VMware, Inc x86_64", {}, "appliance", ("VMware-vCenter-Server-Appliance", "6.5.0.5500", "")),
    ("4935", "", {"4935.1000.100.200.100.2000.1.100.100.0": b"4402 Plus", "4935.1000.100.200.100.2000.1.100.200.0": b"0090F8012345A"}, "gateway", ("4402 Plus", "", "0090F8012345A")),
    ("47307", "", {"47307.1.1.1.0": b"MetroLinq 2.5", "47307.1.1.3.0": b"2.1.0"}, "access_point", ("MetroLinq 2.5", "2.1.0", "")),
    ("25651", "", {"25651.1.2.1.1.0": b"EX-5r", "25651.1.2.1.5.0": b"02.03.01", "25651.1.2.1.3.0": b"ABC0912001"}, "radio_link", ("EX-5r", "02.03.01", "ABC0912001")),
    ("3942", "InfiNet Wireless R5000-Omx WANFleX H08S11v1.90.23", {"3942.1.1.3.9.0": 68123}, "radio_link", ("R5000-Omx", "H08S11v1.90.23", "68123")),
    ("7309.4", "", {"7309.4.1.2.8.0": b"CXC HP", "7309.4.1.2.11.0": b"5.13", "7309.4.1.2.9.0": b"1504-98765"}, "power", ("CXC HP", "5.13", "1504-98765")),
    ("4346.11.1.2.1", "FL SWITCH SMCS 8TX", {"4346.11.11.11.1.1.0": b"4.70", "4346.11.11.1.4.0": b"3012345678"}, "switch", ("FL SWITCH SMCS 8TX", "4.70", "3012345678")),
    ("3715.17", "", {"3715.17.1.11.0": b"Luminato", "3715.17.1.13.0": b"10.2.45", "3715.17.1.10.0": b"PQA07104000123"}, "video", ("Luminato", "10.2.45", "PQA07104000123")),
    ("171.10.75.15.2", "WS6-DES-1210-28/ME", {"171.10.75.15.2.1.3.0": b"6.20.B018"}, "switch", ("WS6-DES-1210-28/ME", "6.20.B018", "")),
    ("890.1.5.12.46", "IES4105M", {"890.1.5.12.46.1.11.0": b"V3.53(ABEA.2)", "890.1.5.12.46.1.10.0": b"S090H01234567"}, "transmission", ("IES4105M", "V3.53(ABEA.2)", "S090H01234567")),
    ("2925.4.1", "Cyclades ACS", {"2925.4.1.1.0": b"ACS48", "2925.4.1.2.0": b"V_3.3.0-1"}, "appliance", ("ACS48", "V_3.3.0-1", "")),
    ("31770.2.1", "", {"31770.2.2.1.2.0": b"BN2500", "31770.2.2.1.5.0": b"G123456789"}, "pdu", ("BN2500", "", "G123456789")),
    ("2254.169", "", {"2254.169.2.1.3.0": b"PDU1315", "2254.169.2.1.4.0": b"KG1234567"}, "pdu", ("PDU1315", "", "KG1234567")),
    ("16174.1.1.3", "", {"16174.1.1.3.1.2.0": b"EM1", "16174.1.1.3.1.5.0": b"1.2.5"}, "sensor", ("EM1", "1.2.5", "")),
    ("12140.2", "", {"12140.2.2.9.0": b"AL80GE", "12140.2.2.10.0": b"1.14.2", "12140.2.3.11.0": b"SN08123"}, "radio_link", ("AL80GE", "1.14.2", "SN08123")),
    ("25506.11.1", "Aruba Instant On 1930 24G Class4 PoE 4SFP/SFP+ 370W Switch JL684A, InstantOn_1930_2.6.0.0 (4)", {}, "switch", ("1930 24G Class4 PoE 4SFP/SFP+ 370W Switch JL684A", "2.6.0.0", "")),
    ("3967.1.1.0", "", {"3967.1.1.5.1.0": b"DINION IP starlight 7000 HD\0", "3967.1.1.1.5.0": b"24500793\0", "3967.1.1.1.6.0": bytes([0, 4, 4, 0, 1, 2, 0, 7, 9, 9])}, "camera", ("DINION IP starlight 7000 HD", "7.93.0024", "0440120799")),
    ("3717.2.1", "", {"3717.2.3.5.0": b"genua GS500 rev 7", "3717.2.3.3.0": b"10.1", "3717.2.3.4.0": b"3", "3717.2.3.6.0": b"GS5000123"}, "firewall", ("GS500", "10.1 PL 3", "GS5000123")),
    ("20884.10893", "", {"20884.10893.2.101.4.1.0": b"00FLEX0123", "20884.10893.2.101.4.2.0": b"BDT", "20884.10893.2.101.4.3.0": b"FlexStor II", "20884.10893.2.101.4.4.0": b"3.90"}, "storage", ("BDT FlexStor II", "3.90", "00FLEX0123")),
    ("31440.1", "", {"31440.1.2.0": b"OW-SERVER-ENET2", "31440.1.4.0": b"2.35"}, "sensor", ("OW-SERVER-ENET2", "2.35", "")),
    ("6296.1.1", "V5812G NOS 5.13 #4006", {"6296.9.1.1.1.20.0": b"5.13 #4006", "6296.9.1.1.1.19.0": b"DSN1234567890"}, "switch", ("V5812G", "5.13 #4006", "DSN1234567890")),
    ("13464.1.3.8", "", {"13464.1.2.1.1.2.15.0": b"S2800", "13464.1.2.1.1.2.2.0": b"GBN V100R001B01D001P001SP11", "13464.1.2.1.1.2.19.0": b"CG1234567"}, "switch", ("S2800", "GBN V100R001B01D001P001SP11", "CG1234567")),
    ("35265.1.22", "ELTEX LTP-8X", {"35265.1.22.1.1.6.0": b"Eltex LTP-8X:rev.B software version 3.38.0 build 1204"}, "transmission", ("Eltex LTP-8X", "3.38.0 build 1204", "")),
    ("193.218.1.1", "Ericsson IPOS-v16.2.52.0-Release", {}, "router", ("", "IPOS-v16.2.52.0-Release", "")),
    ("25868", "CTM-1M", {"25868.1.1.0": b"2.4.1"}, "power", ("CTM-1M", "2.4.1", "")),
]  # fmt: skip


@pytest.mark.parametrize(("object_id", "descr", "objects", "kind", "told"), LINES, ids=lambda _: "")
async def test_a_line_tells_what_its_mib_says(
    object_id: str, descr: str, objects: dict[str, Value], kind: str, told: tuple[str, str, str]
) -> None:
    given = {f"{E}.{below}": value for below, value in objects.items()}

    found = await ask(device(given, descr=descr, object_id=f"{E}.{object_id}"))

    assert found.guessed == ()
    assert (found.model or "", found.version or "", found.serial or "") == told
    assert found.kind == kind
