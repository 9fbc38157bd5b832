"""Where the machine has the time from. Source: W32Time's keys; timesyncd's, chrony's and ntpd's files."""

from kiemke.agent.host import Host
from kiemke.wire.inventory import Row, TimeSource

NAME = "time_source"
SECTIONS = ("time",)
SOURCE = "chrony's, ntpd's or timesyncd's file; Windows: W32Time"
RIGHTS = "any account"
TIMESYNCD = ("etc/systemd/timesyncd.conf", "usr/lib/systemd/timesyncd.conf")
CHRONY = ("etc/chrony/chrony.conf", "etc/chrony.conf")
NTPD = ("etc/ntpsec/ntp.conf", "etc/ntp.conf")
SYNCHRONISED = "run/systemd/timesync/synchronized"
WORDS = ("server", "pool", "peer")


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one TimeSource; absent where no program keeps the time."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import security

        found = security.time_source(host.windows)
        return {} if found is None else {"time": (found,)}
    for files, parse in ((CHRONY, _listed), (NTPD, _listed), (TIMESYNCD, _assigned)):
        for name in files:
            text = host.text(name)
            if text is not None:
                row = TimeSource("ntp", parse(text), _is_synchronised(host, files))
                return {"time": (row,)}
    return {}


def _listed(text: str) -> tuple[str, ...]:
    """Return the servers of a chrony.conf(5) or ntp.conf(5): "server NAME options"."""
    words = (line.split() for line in text.splitlines())
    return tuple(dict.fromkeys(one[1] for one in words if len(one) > 1 and one[0] in WORDS))


def _assigned(text: str) -> tuple[str, ...]:
    """Return the servers of a timesyncd.conf(5): "NTP=NAME NAME", else its fallbacks."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    said = {name.strip(): tuple(value.split()) for name, _, value in pairs}
    return said.get("NTP") or said.get("FallbackNTP") or ()


def _is_synchronised(host: Host, files: tuple[str, ...]) -> bool | None:
    """Tell whether timesyncd has set the clock since boot; the others leave no mark."""
    return host.path(SYNCHRONISED).exists() if files is TIMESYNCD and host.is_live else None
