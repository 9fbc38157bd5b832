"""Makers from L to Z: sysDescr in the form that their gear gives it, objects as their MIBs number them."""

import pytest

from kiemke.collectors.snmp.reader import Value
from tests.collectors.test_identify import ask, device

E = "1.3.6.1.4.1"
NET_SNMP = "8072.3.2.10"
# Below E: sysObjectID; sysDescr; objects; vendor and kind; model, version and serial, "" for none.
LINES: list[tuple[str, str, dict[str, Value], str, tuple[str, str, str]]] = [
    ("164.6.1.6.79", "ETX-203AX, Hw: 1.0/A, Sw: 6.8.2(0.33)", {}, "RAD transmission", ("ETX-203AX", "6.8.2(0.33)", "")),
    ("164.6.1.6.36", "MiNID Hw: 1.1, Sw: 2.5.0(0.12)", {}, "RAD transmission", ("MiNID", "2.5.0(0.12)", "")),
    ("164.6.1.3.120", "MP-4100, HW: 0, SW: 4.90.60", {}, "RAD transmission", ("MP-4100", "4.90.60", "")),
    ("1795.1.14", "Paradyne ATM ReachDSL Unit; Model: 4214-A1-530; CCA: 868-5; S/W Release: 02.03.06; Hardware Revision: 5315-82H; Serial number: 7001234 ;", {}, "Paradyne transmission", ("4214-A1-530", "02.03.06", "7001234")),
    ("1795.2.24", "PARADYNE GranDSLAM 4200; S/W Release: 02.01.24;", {}, "Paradyne transmission", ("GranDSLAM 4200", "02.01.24", "")),
    (NET_SNMP, "Linux lb1 3.10.0 x86_64", {"7146.1.2.1.1.0": b"17.4"}, "Pulse Secure load_balancer", ("", "17.4", "")),
    ("45346.1.1", "VeloCloud EDGE 610", {}, "VMware router", ("EDGE 610", "", "")),
    (NET_SNMP, "VeloCloud EDGE 3X00", {}, "VMware router", ("EDGE 3X00", "", "")),
    ("50114.11.1.10.2000", "", {}, "Palo Alto Networks router", ("ION 2000", "", "")),
    ("7933.2", "", {"7933.1.20.1.2.1.4.1": b"VTrak E610f", "7933.1.20.1.3.1.13.1.1": b"10.18.0000.60", "7933.1.20.1.2.1.5.1": b"M00H09A21900123"}, "Promise storage", ("VTrak E610f", "10.18.0000.60", "M00H09A21900123")),
    ("42610.1.4.4", "", {"42610.1.4.4.1.1.1.0": b"1.35", "42610.1.4.4.1.1.2.0": b"PT2012-00123"}, "Powertek pdu", ("", "1.35", "PT2012-00123")),
    (NET_SNMP, "Linux filer 5.10 x86_64", {"42040.1.101.1.0": b"VMware Virtual Platform", "42040.1.2.0": b"9.12.4", "42040.1.3.0": b"3d6b5a3c-1f0e"}, "Nasuni nas", ("VMware Virtual Platform", "9.12.4", "3d6b5a3c-1f0e")),
    ("5127.1.1.1.8", "", {"5127.1.1.1.8.1.2.0": b"2.31.204"}, "Western Digital nas", ("My Cloud EX2 Ultra", "2.31.204", "")),
    ("5835.5.1", "", {"5835.5.2.100.1.1.4.0": b"MDM6000", "5835.5.2.100.1.1.2.0": b"60012345"}, "Newtec modem", ("MDM6000", "", "60012345")),
    ("13576.10.1", "WAGO 750-880 PFC ETHERNET", {"13576.10.1.10.4.0": b"01.07.13(10)"}, "WAGO gateway", ("750-880", "01.07.13", "")),
    ("28866.2.26", "TEG-30284 28-Port Smart Switch", {"28866.2.26.16.1.2.0": b"V1.01.014"}, "TRENDnet switch", ("TEG-30284", "1.01.014", "")),
    ("5651.1.102.8", "Switch", {"5651.1.2.1.1.2.2.0": b"MyPower S3200-10TP V6.2.3.12"}, "Maipu switch", ("S3200-10TP", "6.2.3.12", "")),
    ("11863.1.1.3", "", {"11863.1.1.3.1.1.1.5.0": b"TL-SL3428 2.0", "11863.1.1.3.1.1.1.6.0": b"2.2.4 Build 20130705 Rel.39801"}, "TP-Link switch", ("TL-SL3428 2.0", "2.2.4 Build 20130705 Rel.39801", "")),
    (NET_SNMP, "Linux TL-WA5210G 2.6.15 #1", {}, "TP-Link access_point", ("TL-WA5210G", "", "")),
    ("7465.20", "", {"7465.20.2.9.1.2.1.3.1.2.7": b"GT01W", "7465.20.2.9.1.2.1.3.1.4.7": b"3.12.0", "7465.20.2.9.1.2.1.3.1.5.7": b"612345"}, "WISI video", ("GT01W", "3.12.0", "612345")),
    ("25281.100", "", {"25281.100.1.1.0": b"LUMEX7 NTP", "25281.100.1.2.0": b"1.9"}, "Westerstrand clock", ("LUMEX7 NTP", "1.9", "")),
    ("23.1.6.5.70", "Novell NetWare 5.70.08  October 3, 2008", {}, "Novell server", ("", "5.70.08", "")),
    ("10456.9.40", "PLANET IGS-5225-8P2S2X Managed Switch", {"6603.1.28.1.3.3.1.5.1": b"PLANET, IGS-5225-8P2S2X, Industrial L3 Managed Switch", "6603.1.28.1.3.3.1.6.1": b"1.2102b210315", "6603.1.24.1.3.5.3.0": b"AR1234567890"}, "Planet switch", ("IGS-5225-8P2S2X", "1.2102b210315", "AR1234567890")),
    ("8691.6.12", "", {"8691.6.12.1.22.4.0": b"V5.4 build 19091016"}, "Moxa firewall", ("EDR-G902", "V5.4", "")),
    ("27514.1.1.1.49", "QTECH QSW-2800-28T Device", {"27514.100.1.3.0": b"7.0.3.5(B0221.0055)", "27514.100.1.101.0": b"E0712345678"}, "Qtech switch", ("QSW-2800-28T", "7.0.3.5(B0221.0055)", "E0712345678")),
    ("7571.100.1.1.7.1", "Saf Tehnika", {"7571.100.1.1.7.1.4.11.0": b"Integra-G", "7571.100.1.1.7.1.4.12.0": b"369120512345"}, "SAF Tehnika radio_link", ("Integra-G", "", "369120512345")),
    ("4329.20.1.1.1.1", "Siemens, SIMATIC NET, SCALANCE XC208G, 6GK5 208-0GA00-2AC2, HW: Version 2, FW: Version V04.03.00, SVPL1234567", {"4329.6.3.2.1.1.2.0": b"6GK5 208-0GA00-2AC2", "4329.6.3.2.1.1.5.0": b"V4.3.0"}, "Siemens switch", ("SCALANCE XC208G", "V4.3.0", "")),
    ("4526.100.7", "ProSafe 802.11b/g Wireless Access Point -WG102 V5.2.9", {}, "Netgear access_point", ("WG102", "5.2.9", "")),
    ("4526.100.2", "Netgear ProSafe VPN Firewall FVS336Gv2", {}, "Netgear firewall", ("FVS336Gv2", "", "")),
    ("4526.100.4.10", "GS752TXS ProSafe 52-Port Gigabit Stackable Smart Switch with 10G uplinks, 6.1.0.28, B5.2.0.1", {}, "Netgear switch", ("GS752TXS", "6.1.0.28", "")),
    ("388.14", "MotorolaAP-7131NHW=A SW=4.1.5.0-004R MIB=01h18", {}, "Motorola access_point", ("AP-7131N", "4.1.5.0-004R", "")),
    ("388.11", "WS5100 Wireless Switch, Revision WS.02.3.2.0.1-040R MIB=01a", {}, "Motorola wireless_controller", ("WS5100", "3.2.0.1-040R", "")),
    ("12325.1.1.2.1.1", "OPNsense fw2.example.vn 24.1.6-683208263 OPNsense FreeBSD 13.2-RELEASE-p11 amd64", {}, "OPNsense firewall", ("", "24.1.6", "")),
    ("318.1.3", "APC InRow RP (MB:v4.1.0)", {"318.1.1.13.3.3.1.2.1.4.0": b"ACRP100", "318.1.1.13.3.3.1.2.1.7.0": b"01", "318.1.1.13.3.3.1.2.1.5.0": b"JK1012001234"}, "APC appliance", ("ACRP100 01", "", "JK1012001234")),
    ("25049.1.11", "Linux cm7148 3.10.0 armv5tejl", {"25049.17.1.1.0": b"4.13.1 (2022-04-11)", "25049.17.1.2.0": b"71481234567890"}, "Opengear gateway", ("CM71xx", "4.13.1", "71481234567890")),
    ("25049.1.120", "Linux om2216", {"25049.10.19.1.5.0": b"OM2216-L", "25049.10.19.1.3.0": b"23.03.3", "25049.10.19.1.2.0": b"22160312345678"}, "Opengear gateway", ("OM2216-L", "23.03.3", "22160312345678")),
    ("25461.2.3.24", "Palo Alto Networks PA-5200 series firewall", {"25461.2.1.2.1.1.0": b"10.1.9-h3"}, "Palo Alto Networks firewall", ("PA-5220", "10.1.9-h3", "")),
    ("14525.3.1.7", "Trapeze Networks MX", {"14525.4.2.1.4.0": b"7.7.3.5.0"}, "Juniper wireless_controller", ("MX-200", "7.7.3.5.0", "")),
    ("2356.14.2.4", "LANCOM GS-2352", {"2356.14.1.1.1.2.0": b"LANCOM GS-2352", "2356.14.1.1.1.10.0": b"v3.32.0632RU4", "2356.14.1.1.1.13.0": b"4003123456789012"}, "LANCOM switch", ("GS-2352", "3.32.0632RU4", "4003123456789012")),
    ("10876.101.1.39", "SSE-X3348T", {}, "Supermicro switch", ("SSE-X3348T", "", "")),
    ("94.1.21.2.1.11", "Nokia IP530 rev 00, IPSO fw1 4.2-BUILD096", {}, "Check Point firewall", ("IP530", "4.2-BUILD096", "")),
    (NET_SNMP, "Linux pve1 6.8.12-4-pve #1 SMP x86_64", {}, "Proxmox server", ("", "6.8.12-4-pve", "")),
    ("33.100.1.2.1.6", "In-Reach LX-4032S", {"33.100.1.1.12.0": b"LX-4032S-002AC", "33.100.1.1.4.0": b"5.3.5"}, "MRV gateway", ("LX-4032S-002AC", "5.3.5", "")),
    ("33.100.1.2.1.9", "", {}, "MRV gateway", ("LX-8020", "", "")),
    ("56813.2.23.700", "FutureMatrix Switch S5735-L48T4S-A1\r\nFutureMatrix Versatile Routing Platform Software\r\nVRP (R) software, Version 5.170 (S5735-L48T4S-A1 V200R021C00SPC100)", {}, "FutureMatrix switch", ("S5735-L48T4S-A1", "5.170 (V200R021C00SPC100)", "")),
    ("31648.1.15", "DPtech FW1000", {"31648.3.3.0": b"S211C011D047", "31648.3.14.0": b"01034700012345"}, "DPtech firewall", ("FW1000", "S211C011D047", "01034700012345")),
    ("26122.3", "", {"26122.3.1.2.0": b"ENA2100-AC1", "26122.3.1.1.0": b"5.2.3.0"}, "Zenitel phone", ("ENA2100-AC1", "5.2.3.0", "")),
    ("2036.2.1", "", {"2036.2.1.1.5.0": b"DXi6900", "2036.2.1.1.6.0": b"3.4.0", "2036.2.1.1.12.0": b"CX1234BVA00123"}, "Quantum storage", ("DXi6900", "3.4.0", "CX1234BVA00123")),
    ("890.1.2.6.22", "Prestige 660HW-61", {}, "Zyxel router", ("Prestige 660HW-61", "", "")),
    ("25053.3.1.4.100", "Ruckus Wireless Inc (C) 2006", {}, "Ruckus access_point", ("R610", "", "")),
    ("11863.5.33", "24-Port Gigabit L2 Managed Switch", {}, "TP-Link switch", ("T2600G-28TS", "", "")),
    ("19046.1.7.41", "Lenovo switch", {}, "Lenovo switch", ("ThinkSystem NE2572", "", "")),
    ("45577.5", "Linux", {"45577.5.7.8.0": b"RS5300-28X", "45577.5.7.7.0": b"3.9.0.1", "45577.5.7.6.0": b"A123B45678"}, "Sundray switch", ("RS5300-28X", "3.9.0.1", "A123B45678")),
    ("2682.1", "NetGuardian", {"2682.1.2.1.2.0": b"NetGuardian 832A G5", "2682.1.2.1.3.0": b"v5.0I.0103"}, "DPS Telecom sensor", ("NetGuardian 832A G5", "v5.0I.0103", "")),
]  # fmt: skip


@pytest.mark.parametrize(("object_id", "descr", "objects", "what", "told"), LINES, ids=lambda _: "")
async def test_a_maker_is_told_by_its_own_forms(
    object_id: str, descr: str, objects: dict[str, Value], what: str, told: tuple[str, str, str]
) -> None:
    given = {f"{E}.{below}": value for below, value in objects.items()}

    found = await ask(device(given, descr=descr, object_id=f"{E}.{object_id}"))

    assert (found.model or "", found.version or "", found.serial or "") == told
    assert f"{found.vendor} {found.kind}" == what
