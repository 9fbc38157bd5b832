"""The district's gear and lines: one shared 100 Mbps line, a fibre line and a TSLCD line each commune.

Addresses are of 198.18.0.0/15 (RFC 2544, benchmarking): nobody's, and nothing is ever sent there.
"""

from datetime import date

from bench.district import Gear, Line, Thing
from bench.organisation import COMMUNES, DEPARTMENTS, rates_of

# What is wrong with a commune's Internet line, by commune from 0, and the verdict it deserves.
LINE_FAULTS = {
    1: ("slow", "degraded"),
    2: ("outage", "degraded"),
    0: ("busy_upload", "degraded"),
    12: ("negotiated", "degraded"),
    5: ("silent_snmp", "healthy"),
    6: ("wrap", "healthy"),
    7: ("reboot", "healthy"),
}
BEHAVIOUR = {"silent_snmp": "silent", "wrap": "narrow", "reboot": "reboots"}
PROVIDERS = ("VNPT", "Viettel", "FPT Telecom")
TSLCD_MBPS = 10


def make_network(communes: int) -> tuple[list[Gear], list[Line], list[Thing]]:
    """Return devices, lines and their assets for the district and its first ``communes`` communes."""
    gear: list[Gear] = []
    lines: list[Line] = []
    things: list[Thing] = []
    _add_district(gear, lines, things)
    for commune in range(communes):
        _add_commune(commune, gear, lines, things)
    return gear, lines, things


def _thing(code: str, kind: str, name: str, maker: str, model: str, price: int, unit: str) -> Thing:
    return Thing(
        code=code, tag=code.removeprefix("TS-"), kind=kind, name=name, manufacturer=maker,
        model=model, serial=f"SN-{code}", price_dong=price, in_use_since=date(2021, 6, 1),
        unit=unit, place="Tủ mạng", ownership="provider" if kind == "modem" else "owned",
    )  # fmt: skip


def _add_district(gear: list[Gear], lines: list[Line], things: list[Thing]) -> None:
    unit = "TG-CQ"
    things += [
        _thing("TS-TG-SW", "switch", "Switch lõi", "Cisco", "CBS350-24T", 28_000_000, unit),
        _thing("TS-TG-FW", "firewall", "Tường lửa", "Fortinet", "FortiGate 60F", 32_000_000, unit),
        _thing("TS-TG-VCS", "video_conference", "Bộ hội nghị truyền hình", "Yealink", "MeetingEye 400",
               68_000_000, unit),
        _thing("TS-TG-NAS", "nas", "Lưu trữ mạng", "Synology", "DS920+", 21_000_000, unit),
    ]  # fmt: skip
    gear += [
        Gear("TG-FW", "Tường lửa huyện", "firewall", unit, "198.18.0.1", "TS-TG-FW"),
        Gear("TG-SW", "Switch lõi huyện", "switch", unit, "198.18.0.2", "TS-TG-SW"),
    ]
    lines += [
        Line("TG-INT", "Internet dùng chung 12 phòng", unit, "internet", "VNPT", "HĐ-2022/TG-01",
             2_200_000, 100, 100, "TG-FW", "wan1", ("domestic:198.19.0.1",),
             shared_by=tuple(code for code, _, _ in DEPARTMENTS)),
        Line("TG-TSLCD", "TSLCD cấp huyện", unit, "tslcd", "CPT", "TSLCD-TG", 1_100_000,
             TSLCD_MBPS, TSLCD_MBPS, "TG-FW", "wan2", ("gateway:198.19.0.2",)),
    ]  # fmt: skip


def _add_commune(commune: int, gear: list[Gear], lines: list[Line], things: list[Thing]) -> None:
    code, number = f"TG-X{commune + 1:02d}", commune + 1
    fault, verdict = LINE_FAULTS.get(commune, (None, "healthy"))
    mikrotik = commune % 2 == 1
    maker, model = ("MikroTik", "hEX S") if mikrotik else ("DrayTek", "Vigor2927")
    things += [
        _thing(f"TS-{code}-ONT", "modem", "ONT nhà mạng", "ZTE", "F670L", 900_000, code),
        _thing(f"TS-{code}-RT", "router", "Bộ định tuyến", maker, model, 4_200_000, code),
        _thing(
            f"TS-{code}-SW", "switch", "Switch 24 cổng", "TP-Link", "TL-SG1024", 2_900_000, code
        ),
        _thing(f"TS-{code}-UPS", "ups", "Bộ lưu điện", "APC", "BX1100", 3_100_000, code),
    ]
    router = Gear(
        f"{code}-RT", f"Bộ định tuyến {COMMUNES[commune]}", "router", code,
        f"198.18.{number}.1", f"TS-{code}-RT",
        BEHAVIOUR.get(fault or "", "answers") if fault != "silent_snmp" else "answers",
    )  # fmt: skip
    gear.append(router)
    port_owner, port = router.code, ("ether1" if mikrotik else "WAN1")
    if fault == "silent_snmp":  # the line ends in the provider's box, which answers nobody
        ont = Gear(
            f"{code}-ONT", f"ONT {COMMUNES[commune]}", "modem", code,
            f"198.18.{number}.2", f"TS-{code}-ONT", "silent",
        )  # fmt: skip
        gear.append(ont)
        port_owner, port = ont.code, "pon0"
    rate = rates_of(commune)
    lines += [
        Line(f"{code}-INT", f"Internet {COMMUNES[commune]}", code, "internet",
             PROVIDERS[commune % 3], f"HĐ-2023/{code}", rate * 2_000 + 100_000, rate, rate,
             port_owner, port, (f"domestic:198.19.{number}.1",), (code,), fault, verdict),
        Line(f"{code}-TSLCD", f"TSLCD {COMMUNES[commune]}", code, "tslcd", "CPT",
             f"TSLCD-{code}", 600_000, TSLCD_MBPS, TSLCD_MBPS, router.code,
             "ether2" if mikrotik else "WAN2", (f"gateway:198.19.{number}.2",), (code,)),
    ]  # fmt: skip
