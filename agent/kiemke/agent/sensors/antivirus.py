"""The anti-malware products. Source: Security Center, Defender's keys; on Linux a table and ClamAV's base."""

from datetime import UTC, datetime

from kiemke.agent.host import Host
from kiemke.agent.sensors import running
from kiemke.agent.sensors.tables import Entry, fits, globs, load
from kiemke.wire.inventory import Antivirus, Row

NAME = "antivirus"
SECTIONS = ("antivirus",)
SOURCE = (
    "products.toml, ClamAV's signature base; Windows: Security Center in a guarded child, "
    "Defender's keys, services, programs"
)
RIGHTS = "any account"
CLAMAV = "var/lib/clamav"
BASES = ("daily.cld", "daily.cvd")
HEADER_BYTES = 512
CURRENT_DAYS = 7
# "ClamAV-VDB:16 Sep 2021 04-32 -0400:26296:..." (clamav's cvd.h); months are English whatever the locale.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Antivirus a product. Raises SensorError for a table that is none."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import antivirus

        return {"antivirus": tuple(antivirus.read(host, host.windows, running.names(host)))}
    there = running.names(host)
    entries = load(host, "products.toml", "antivirus")
    found = [one for entry in entries if (one := _product(host, entry, there)) is not None]
    clam = _clamav(host, there)
    return {"antivirus": (*found, *([clam] if clam else []))}


def _product(host: Host, entry: Entry, there: frozenset[str] | None) -> Antivirus | None:
    """Return a product of the table whose files are there."""
    paths = entry.get("paths")
    name, publisher = entry.get("name"), entry.get("publisher")
    places = [one for one in paths if isinstance(one, str)] if isinstance(paths, list) else []
    if not isinstance(name, str) or not any(host.path(one).exists() for one in places):
        return None
    processes = globs(entry, "processes")
    return Antivirus(
        name,
        publisher=publisher if isinstance(publisher, str) else None,
        is_on=any(fits(one, processes) for one in there) if there and processes else None,
    )


def _clamav(host: Host, there: frozenset[str] | None) -> Antivirus | None:
    """Return ClamAV by its signature base; on when its guard of files runs (clamonacc)."""
    for name in BASES:
        try:
            with host.path(CLAMAV, name).open("rb") as file:
                head = file.read(HEADER_BYTES).decode("ascii", "replace")
        except OSError:
            continue
        version, at = parse_base(head)
        return Antivirus(
            "ClamAV",
            publisher="Cisco Talos",
            is_on="clamonacc" in there if there else None,
            is_current=None if at is None else (host.now() - at).days < CURRENT_DAYS,
            signatures_version=version,
            signatures_at=None if at is None else at.isoformat(timespec="seconds"),
        )
    return None


def parse_base(head: str) -> tuple[str | None, datetime | None]:
    """Return (version, moment) of a signature base's head; None what it does not say."""
    parts = head.split(":")
    if len(parts) < 3 or parts[0] != "ClamAV-VDB":
        return None, None
    words = parts[1].split()  # "16 Sep 2021 04-32 -0400"
    try:
        hour, _, minute = words[3].partition("-")
        offset = words[4]
        text = (
            f"{int(words[2]):04d}-{MONTHS.index(words[1]) + 1:02d}-{int(words[0]):02d}"
            f"T{int(hour):02d}:{int(minute):02d}:00{offset[:3]}:{offset[3:5]}"
        )
        at: datetime | None = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, IndexError, OverflowError):
        at = None
    return parts[2].strip() or None, at
