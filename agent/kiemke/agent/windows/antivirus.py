"""The anti-malware products of Windows: Security Center's word, Defender's keys, services and programs."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from kiemke.agent.host import Host
from kiemke.agent.sensors.tables import Entry, fits, globs, load
from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.registry import moment
from kiemke.agent.windows.services import DISABLED, Installed, installed
from kiemke.wire.inventory import Antivirus, RemoteTool

DEFENDER = r"HKLM\SOFTWARE\Microsoft\Windows Defender"
DEFENDER_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender"
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
DEFENDER_NAME = "Microsoft Defender Antivirus"
TERMINAL = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server"
CURRENT_DAYS = 7  # Defender calls its own signatures old after a week
AUTOMATIC = 2


def read(host: Host, windows: Windows, running: frozenset[str] | None) -> list[Antivirus]:
    """Return one Antivirus a product; what Security Center says of one wins over what files say.

    ``running`` are the names of running programs, lower case; None when they are not known.
    """
    there = installed(windows)
    told = windows.probe("antivirus")
    center = _center(told) if isinstance(told, list) else None
    found = []
    defender = _defender(windows, host.now())
    if defender is not None:
        found.append(defender)
    for entry in load(host, "products.toml", "antivirus"):
        product = _product(entry, there, running)
        if product is not None:
            found.append(product)
    if center is None:
        return found
    return _merged(found, center)


def _center(told: Iterable[object]) -> list[Antivirus]:
    """Return what Security Center told (see ``com.antivirus``)."""
    found = []
    for one in told:
        if isinstance(one, dict) and isinstance(one.get("name"), str) and one["name"].strip():
            state, signatures = one.get("state"), one.get("signatures")
            found.append(
                Antivirus(
                    one["name"].strip(),
                    is_on=state == 0 if isinstance(state, int) else None,
                    is_current=signatures == 1 if isinstance(signatures, int) else None,
                )
            )
    return found


def _merged(found: list[Antivirus], center: list[Antivirus]) -> list[Antivirus]:
    """Return Security Center's products with what else is known of them, then the others."""
    rest = list(found)
    merged = []
    for one in center:
        own = next((each for each in rest if _is_same(each.name, one.name)), None)
        if own is not None:
            rest.remove(own)
            one = replace(own, is_on=one.is_on, is_current=one.is_current)
        merged.append(one)
    return merged + rest


def _is_same(ours: str, theirs: str) -> bool:
    """Tell whether two names mean one product: "Windows Defender", "Kaspersky Endpoint Security"."""
    if "defender" in ours.casefold():
        return "defender" in theirs.casefold()
    return ours.split()[0].casefold() == theirs.split()[0].casefold()


def _defender(windows: Windows, now: datetime) -> Antivirus | None:
    """Return Defender by its keys, None where it is not installed."""
    registry = windows.registry
    start = registry.number(f"{SERVICES}\\WinDefend", "Start")
    version = registry.text(f"{DEFENDER}\\Signature Updates", "AVSignatureVersion")
    if start is None and version is None:
        return None
    raw = registry.data(f"{DEFENDER}\\Signature Updates", "SignaturesLastUpdated")
    at = moment(int.from_bytes(raw[:8], "little")) if raw else None
    off = (
        registry.number(DEFENDER, "DisableAntiSpyware"),
        registry.number(DEFENDER_POLICY, "DisableAntiSpyware"),
        registry.number(f"{DEFENDER}\\Real-Time Protection", "DisableRealtimeMonitoring"),
        registry.number(f"{DEFENDER_POLICY}\\Real-Time Protection", "DisableRealtimeMonitoring"),
    )
    passive = registry.number(DEFENDER, "PassiveMode")
    is_on = None if start is None else start != DISABLED and not any(off) and not passive
    return Antivirus(
        DEFENDER_NAME,
        version=registry.text(f"{DEFENDER}\\Signature Updates", "EngineVersion"),
        publisher="Microsoft",
        is_on=is_on,
        is_current=None if at is None else (now - at).days < CURRENT_DAYS,
        signatures_version=version,
        signatures_at=None if at is None else at.isoformat(timespec="seconds"),
    )


def _product(entry: Entry, there: Installed, running: frozenset[str] | None) -> Antivirus | None:
    """Return a product of the table if it is installed."""
    name = entry.get("name")
    start = there.service(globs(entry, "services"))
    program = there.program(globs(entry, "titles"))
    if not isinstance(name, str) or (start is None and program is None):
        return None
    publisher = entry.get("publisher")
    return Antivirus(
        name if program is None else program.name,
        version=None if program is None else program.version,
        publisher=publisher if isinstance(publisher, str) else None,
        is_on=_is_on(start, globs(entry, "processes"), running),
    )


def _is_on(
    start: int | None, processes: tuple[str, ...], running: frozenset[str] | None
) -> bool | None:
    """Tell whether a product runs: by its processes, else off when its service is switched off."""
    if running is not None and processes:
        return any(fits(name, processes) for name in running)
    return False if start == DISABLED else None


def remote_tools(host: Host, windows: Windows) -> list[RemoteTool]:
    """Return the programs by which others can control this machine, Windows' own desktop included."""
    there = installed(windows)
    found = []
    for entry in load(host, "products.toml", "remote_tool"):
        name = entry.get("name")
        start = there.service(globs(entry, "services"))
        program = there.program(globs(entry, "titles"))
        if isinstance(name, str) and (start is not None or program is not None):
            version = None if program is None else program.version
            found.append(RemoteTool(name, version, start == AUTOMATIC))
    if windows.registry.number(TERMINAL, "fDenyTSConnections") == 0:
        found.append(RemoteTool("Remote Desktop", None, True))
    return sorted(found, key=lambda one: one.name)
