"""Makers of whom no recording is at hand: short ones laid out after their MIBs, in the makers' own forms."""

import re
from importlib import resources

import pytest

from kiemke.collectors.families import FAMILIES
from kiemke.collectors.identify_products import maker_of, makers, product_of, products
from kiemke.collectors.identify_rules import load_family
from kiemke.collectors.snmp.reader import Value, parse_oid
from tests.collectors.test_identify import ask, device

E = "1.3.6.1.4.1"
Told = tuple[str | None, str | None, str | None, str | None, str | None]


@pytest.mark.parametrize(
    ("object_id", "descr", "objects", "expected"),
    [
        (
            "18928.1",
            "",
            {
                "18928.1.1.1.1.0": b"ARC-1680",
                "18928.1.1.1.4.0": b"V1.49",
                "18928.1.1.1.3.0": b"0000123",
            },
            ("Areca", "storage", "ARC-1680", "V1.49", "0000123"),
        ),
        (
            "674.10902.1",
            "",
            {
                "674.10902.2.120.1.1.0": b"Dell UPS Rack 1920W",
                "674.10902.2.100.4.0": b"01.18.0002",
                "674.10902.2.120.1.2.0": b"CN06W6F400B3",
            },
            ("Dell", "ups", "Dell UPS Rack 1920W", "01.18.0002", "CN06W6F400B3"),
        ),
        (
            "35424",
            "",
            {
                "35424.1.1.3.0": b"MC-200",
                "35424.1.1.4.0": b"2015092830/2015092900",
                "35424.1.1.2.0": b"01-00020-01-1234567",
            },
            ("Viprinet", "router", "MC-200", "2015092830/2015092900", "01-00020-01-1234567"),
        ),
        (
            "12356.120.1",
            "",
            {
                "12356.120.1.1.0": b"FP221E-v6.4-build0437",
                "12356.120.1.2.0": b"FP221ETF20001234",
            },
            ("Fortinet", "access_point", "FP221E", "FP221E-v6.4-build0437", "FP221ETF20001234"),
        ),
        (
            "12356.113.100.101",
            "",
            {
                "12356.113.1.1.0": b"FortiAuthenticator-VM",
                "12356.113.1.2.0": b"FAC-VM0000001",
                "12356.113.1.3.0": b"v6.4.1, build0993",
            },
            (
                "Fortinet",
                "appliance",
                "FortiAuthenticator-VM",
                "v6.4.1, build0993",
                "FAC-VM0000001",
            ),
        ),
        (
            "10704.1",
            "Barracuda CloudGen Firewall",
            {"10704.1.2.0": b"GWAY-8.0.1-0223"},
            ("Barracuda", "firewall", "CloudGen Firewall", "GWAY-8.0.1-0223", None),
        ),
        (
            "21317.1.3.2.2",
            "",
            {"21317.1.3.2.2.2.1.1.0": b"PE8208G"},
            ("ATEN", "pdu", "PE8208G", None, None),
        ),
        (
            "890.1.5.8.20",
            "GS-4012F",
            {
                "890.1.5.8.20.1.1.0": 3,
                "890.1.5.8.20.1.2.0": 90,
                "890.1.5.8.20.1.3.0": b"LH",
                "890.1.5.8.20.1.4.0": 1,
                "890.1.5.8.20.1.10.0": b"S060Z31000123",
            },
            ("Zyxel", "switch", "GS-4012F", "V3.90(LH.1)", "S060Z31000123"),
        ),
        (
            "890.1.5.8.20",
            "GS-4012F",
            {"890.1.5.8.20.1.1.0": 3},
            ("Zyxel", "switch", "GS-4012F", None, None),
        ),
        (
            "211.1.21.1.150",
            "",
            {"211.1.21.1.150.1.1.0": b"00ETERNUSDXMS3ET103ACU    ##280A1234567 "},
            ("Fujitsu", "storage", "ETERNUSDXMS3 ET103ACU", None, "280A1234567"),
        ),
        (
            "8072.3.2.10",
            "Linux srv 5.15.0",
            {
                "231.2.10.2.2.10.2.3.1.5.1": b"PRIMERGY RX300 S8",
                "231.2.10.2.2.10.2.3.1.7.1": b"YLNT001234",
            },
            ("Fujitsu", "server", "PRIMERGY RX300 S8", "5.15.0", "YLNT001234"),
        ),
        (
            "22420.1.1",
            "AMN-1000-GT",
            {
                "22420.1.1.1.0": b"AMN-1000-GT",
                "22420.1.1.4.0": b"AEN_6.2_21455",
                "22420.1.1.6.0": b"G054-1234",
            },
            ("Accedian", "switch", "AMN-1000-GT", "AEN_6.2_21455", "G054-1234"),
        ),
        (
            "10002.1",
            "Linux 3.3.0 mips",
            {
                "41112.1.10.1.3.2.0": b"AF-LTU Pro",
                "41112.1.10.1.3.4.0": b"v2.3.3",
            },
            ("Ubiquiti", "radio_link", "AF-LTU Pro", "v2.3.3", None),
        ),
        (
            "41112.1.5",
            "",
            {
                "41112.1.5.1.1.0": b"UF-OLT",
                "41112.1.5.1.2.0": b"B4FBE4C12345",
                "41112.1.5.1.3.0": b"v4.4.1",
            },
            ("Ubiquiti", "transmission", "UF-OLT", "4.4.1", "B4FBE4C12345"),
        ),
        (
            "39165.1",
            "Hikvision",
            {
                "39165.1.1.0": b"DS-2CD2143G0-I",
                "39165.1.3.0": b"V5.6.3 build 190923",
                "50001.1.1.0": b"10.5.9.64",
                "50001.1.2.0": 8000,
            },
            ("Hikvision", "recorder", "DS-2CD2143G0-I", "V5.6.3 build 190923", None),
        ),
        (
            "25461.2.3.18",
            "Palo Alto Networks PA-3000 series firewall",
            {
                "25461.2.1.2.2.1.0": parse_oid("1.3.6.1.4.1.25461.2.3.6"),
                "25461.2.1.2.1.1.0": b"10.1.6",
                "25461.2.1.2.1.3.0": b"001801012345",
            },
            ("Palo Alto Networks", "firewall", "PA-500", "10.1.6", "001801012345"),
        ),
        (
            "2435.2.3.9.1",
            "Brother NC-6600h, Firmware Ver.1.03",
            {
                "2435.2.4.3.2435.5.13.3.0": b"Brother HL-5250DN series",
                "2435.2.4.3.1240.6.5.0": b"Firmware Ver.1.06 (07.06.21)",
            },
            ("Brother", "printer", "HL-5250DN", "1.06", None),
        ),
        (
            "1872.1.13",
            "Alteon",
            {"1872.2.5.1.1.1.10.0": b"30.5.3.0", "1872.2.5.1.3.1.18.0": b"31102345"},
            ("Radware", "load_balancer", None, "30.5.3.0", "31102345"),
        ),
        (
            "5227.1",
            "BUFFALO INC. BS-GS2016 Ver.1.0.9.4",
            {},
            ("Buffalo", "switch", "BS-GS2016", "1.0.9.4", None),
        ),
        (
            "2356.11.8.1781",
            "LANCOM 1781EW+ 9.24.0225 / 15.01.2018 4003123456789012",
            {},
            ("LANCOM", "router", "1781EW+", "9.24.0225", "4003123456789012"),
        ),
        (
            "12532",
            "Pulse Secure,LLC,PSA-3000",
            {"12532.6.0": b"Pulse Secure,PSA-3000", "12532.7.0": b"9.1R8 (build 7453)"},
            ("Pulse Secure", "gateway", "Pulse Secure,PSA-3000", "9.1R8 (build 7453)", None),
        ),
        (
            "12124.1",
            "isi-1 Isilon OneFS v8.1.2.0",
            {"12124.2.51.1.4.1": b"X410-4U", "12124.2.51.1.3.1": b"SX410-301542-0123"},
            ("Dell", "storage", "X410-4U", "8.1.2.0", "SX410-301542-0123"),
        ),
        (
            "207.1.4.125",
            "Allied Telesis router/switch, AW+ v5.4.9-1.3",
            {
                "207.8.4.4.3.21.1.1.4.1.1": b"x510-52GTX",
                "207.8.4.4.3.21.1.1.8.1.1": b"A05050G144700011",
                "207.8.4.4.4.500.2.1.1.0": b"5.4.9-1.3",
            },
            ("Allied Telesis", "switch", "x510-52GTX", "5.4.9-1.3", "A05050G144700011"),
        ),
        (
            "674.10903.200",
            "Dell Metered Rack PDU",
            {
                "674.10903.200.2.200.100.2.1.7.1": b"6803",
                "674.10903.200.2.200.100.2.1.5.1": b"1.2.0",
                "674.10903.200.2.200.100.2.1.8.1": b"CN0AB12345",
            },
            ("Dell", "pdu", "6803", "1.2.0", "CN0AB12345"),
        ),
        (
            "25728.5900",
            "UniPing server solution v3/SMS, FW v70.11.12.E-1",
            {},
            ("NetPing", "pdu", "UniPing server solution v3/SMS", "70.11.12.E-1", None),
        ),
        (
            "11.5.7.1.2",
            "HP Onboard Administrator",
            {
                "232.22.2.3.1.1.1.3.1": b"BladeSystem c7000 Enclosure G2",
                "232.22.2.3.1.1.1.8.1": b"4.85",
                "232.22.2.3.1.1.1.7.1": b"CZ3012ABCD",
            },
            ("HPE", "server", "BladeSystem c7000 Enclosure G2", "4.85", "CZ3012ABCD"),
        ),
        (
            "2011.2.133",
            "Huawei Integrated Access Software",
            {"2011.6.3.1.999.0": b"MA5680TV800R018C10", "2011.6.3.3.1.1.9.0": b"2102310QFK10"},
            ("Huawei", "transmission", None, "MA5680TV800R018C10", "2102310QFK10"),
        ),
        (
            "26543.1.7.6",
            "IBM Networking Operating System RackSwitch G8264",
            {"26543.100.100.14.9.0": b"Y250CM26A123"},
            ("Lenovo", "switch", "RackSwitch G8264", None, "Y250CM26A123"),
        ),
        (
            "629.200.1",
            "LambdaDriver",
            {"629.200.6.1.1.3.1": b"NC316-288PHAE", "629.200.6.1.1.48.1": b"0612345"},
            ("Adtran", "transmission", "NC316-288PHAE", None, "0612345"),
        ),
        (
            "47565.1.1",
            "",
            {"47565.1.1.1.1.0": b"6.8.2.24101"},
            ("Forcepoint", "firewall", None, "6.8.2.24101", None),
        ),
        (
            "2011.2.23.400",
            "S5720-28X-SI-AC Huawei Versatile Routing Platform Software",
            {
                "2011.5.25.31.6.5.0": b"S5720-28X-SI-AC",
                "2011.5.25.188.1.1.0": b"2102359547DMJ1000123",
            },
            ("Huawei", "switch", "S5720-28X-SI-AC", None, "2102359547DMJ1000123"),
        ),
        (
            "12356.103.3",
            "",
            {"12356.100.1.1.1.0": b"FMG-VMTM20001234", "12356.103.2.1.7.0": b"v7.2.5 build1574"},
            ("Fortinet", "appliance", None, "v7.2.5 build1574", "FMG-VMTM20001234"),
        ),
        (
            "1004849",
            "DH-NVR",
            {
                "1004849.2.1.2.6.0": b"DHI-NVR5432-4KS2",
                "1004849.2.1.1.1.0": b"4.001.0000000.3",
                "1004849.2.1.2.4.0": b"4K0ABCDPAZ00001",
            },
            ("Dahua", "recorder", "DHI-NVR5432-4KS2", "4.001.0000000.3", "4K0ABCDPAZ00001"),
        ),
        (
            "10876",
            "",
            {
                "21317.1.5.1.0": 1,
                "21317.1.5.2.0": b"73",
                "21317.1.16.3.4.0": b"SYS-5019C-MR",
                "21317.1.16.3.6.0": b"S123456X1234567",
            },
            ("Supermicro", "server", "SYS-5019C-MR", "1.73", "S123456X1234567"),
        ),
        (
            "789.2.5",
            "NetApp Release 9.11.1P4: Thu Nov 03 2022",
            {
                "789.1.25.2.1.4.4.110.48.49": b"AFF-A250",
                "789.1.25.2.1.5.4.110.48.49": b"952104001234",
            },
            ("NetApp", "nas", "AFF-A250", "9.11.1P4", "952104001234"),
        ),
        (
            "5003.8.1.1.81",
            "Product: Mediant 800B ;SW Version: 7.20A.256.024",
            {"5003.9.10.10.2.3.1.0": b"Mediant 800B", "5003.9.10.10.2.3.2.0": 8765432},
            ("AudioCodes", "gateway", "Mediant 800B", "7.20A.256.024", "8765432"),
        ),
        (
            "2385.3.1.83",
            "SHARP MX-3610N",
            {"2385.2.1.1.2.1.2.1": b"0505Q000"},
            ("Sharp", "copier", "MX-3610N", "0505Q000", None),
        ),
        (
            "6302.2.1",
            "ACU",
            {"6302.2.1.1.2.0": b"NCU", "6302.2.1.1.3.0": b"1.5.20"},
            ("Vertiv", "power", "NCU", "1.5.20", None),
        ),
        (
            "2863.205.10",
            "DOCSIS 3.0 Gateway <<HW_REV: 4; VENDOR: Technicolor; BOOTR: 2.1; SW_REV: 9.1.103; MODEL: TC7200>>",
            {},
            ("Technicolor", "modem", "TC7200", "9.1.103", None),
        ),
        (
            "9.1.208",
            "Cisco Internetwork Operating System Software",
            {},
            ("Cisco", "router", "cisco2620", None, None),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value[:1].isdigit() else "",
)
async def test_gear_of_makers_without_a_recording(
    object_id: str, descr: str, objects: dict[str, Value], expected: Told
) -> None:
    given = {f"{E}.{below}": value for below, value in objects.items()}

    found = await ask(device(given, descr=descr, object_id=f"{E}.{object_id}"))

    assert (found.vendor, found.kind, found.model, found.version, found.serial) == expected


def test_every_product_table_is_readable_and_named_by_an_enterprise_number() -> None:
    folder = resources.files("kiemke.collectors.families").joinpath("products")
    numbers = [int(file.name.removesuffix(".tsv")) for file in folder.iterdir()]

    tables = {number: products(number) for number in numbers}

    assert all(tables.values())
    assert all(len(model) >= 3 for table in tables.values() for model in table.values())


def test_a_product_is_told_only_for_exactly_its_own_number() -> None:
    """A number below or above a known product may be anything."""
    known = parse_oid(f"{E}.25461.2.3.6")

    assert product_of(known) == "PA-500"
    assert product_of((*known, 1)) == ""
    assert product_of(known[:-1]) == ""
    assert product_of(parse_oid("1.3.6.1.2.1.1")) == ""


def test_a_maker_has_one_name_everywhere() -> None:
    """The inventory groups by maker: the enterprise table and the families must not spell it twice."""
    spelled: dict[str, set[str]] = {}
    names = {line.vendor for name in FAMILIES for line in load_family(name).lines if line.vendor}
    for name in names | set(makers().values()):
        spelled.setdefault(re.sub(r"\W", "", name).casefold(), set()).add(name)

    assert [sorted(ways) for ways in spelled.values() if len(ways) > 1] == []
    assert maker_of(parse_oid(f"{E}.9.1.1")) == "Cisco"
    assert maker_of(parse_oid(f"{E}.8072.3.2.10")) is None
