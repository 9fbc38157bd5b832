"""The installed programs: packages of dpkg and rpm (a child with a deadline), snaps, flatpaks; Windows' list."""

from dataclasses import replace

from kiemke.agent import kept
from kiemke.agent.host import Host
from kiemke.agent.sensors import bundles_linux
from kiemke.agent.sensors.errors import SensorError, SensorTimeoutError
from kiemke.wire.inventory import Row, Software
from kiemke.wire.plain_words import plain_name, plain_publisher

NAME = "software"
SECTIONS = ("software",)
SOURCE = (
    "dpkg's status file, rpm -qa in a child with a deadline, snap and flatpak folders; "
    "Windows: Uninstall keys of both views and of each loaded user, AppX keys"
)
RIGHTS = "any account; administrator for other users' programs"
DPKG_STATUS = "var/lib/dpkg/status"
RPM_FOLDERS = ("var/lib/rpm", "usr/lib/sysimage/rpm")
RPM_PROGRAM = "/usr/bin/rpm"
RPM_FORMAT = "%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{VENDOR}\\t%{ARCH}\\n"
RPM_DEADLINE_SECONDS = 60.0
WANTED = frozenset({"Package", "Status", "Version", "Maintainer", "Architecture"})


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Software a package, by origin and name; absent without a package manager.

    Raises SensorError when rpm fails, SensorTimeoutError when it does not end.
    """
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import software

        found = software.read(host.windows)
        if host.folder is not None:
            _, rows = kept.read(host.folder).get("software", ("", []))
            found += software.of_absent_users(host.windows, rows)
        return {"software": _ordered(found)}
    found = []
    known = False
    if host.path(DPKG_STATUS).exists():
        known = True
        found += _dpkg(host)
    if host.is_live and any(host.path(folder).is_dir() for folder in RPM_FOLDERS):
        if host.path(RPM_PROGRAM.lstrip("/")).exists():
            known = True
            found += _rpm()
    bundles = bundles_linux.read(host)
    if not known and not bundles:
        return {}
    found += bundles
    return {"software": _ordered(found)}


def _ordered(found: list[Software]) -> tuple[Software, ...]:
    """Return the programs by origin and name, each with its plain words."""
    found.sort(key=lambda one: (one.origin or "", one.name, one.version or "", one.user or ""))
    return tuple(with_plain_words(one) for one in found)


def with_plain_words(one: Software) -> Software:
    """Return the row with its plain words; None where the raw ones are plain already."""
    name = plain_name(one.name, one.version)
    publisher = None if one.publisher is None else plain_publisher(one.publisher)
    return replace(
        one,
        plain_name=None if name == one.name else name,
        plain_publisher=None if publisher == one.publisher else publisher,
    )


def _dpkg(host: Host) -> list[Software]:
    """Return the packages dpkg holds as installed (deb-control(5), one stanza a package)."""
    found = []
    said: dict[str, str] = {}
    with host.path(DPKG_STATUS).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line == "\n":
                found += _installed(said)
                said = {}
            elif not line[0].isspace():
                name, _, value = line.partition(":")
                if name in WANTED:
                    said[name] = value.strip()
    found += _installed(said)
    return found


def _installed(said: dict[str, str]) -> list[Software]:
    """Return the stanza's package if its status ends in "installed" ("config-files" is gone)."""
    if "Package" not in said or said.get("Status", "").split()[-1:] != ["installed"]:
        return []
    return [
        Software(
            name=said["Package"],
            version=said.get("Version") or None,
            publisher=said.get("Maintainer") or None,
            architecture=said.get("Architecture") or None,
            origin="dpkg",
        )
    ]


def _rpm() -> list[Software]:
    """Return the packages of the rpm database."""
    # Only machines with rpm pay for loading subprocess.
    import subprocess

    command = [RPM_PROGRAM, "-qa", "--queryformat", RPM_FORMAT]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program and fixed words
            command, capture_output=True, timeout=RPM_DEADLINE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as err:
        raise SensorTimeoutError(f"rpm -qa took over {RPM_DEADLINE_SECONDS:.0f} s") from err
    if done.returncode:
        raise SensorError(f"rpm -qa ended with {done.returncode}")
    return parse_rpm(done.stdout.decode("utf-8", "replace"))


def parse_rpm(text: str) -> list[Software]:
    """Return the packages of rpm's answer in RPM_FORMAT; "(none)" is absent."""
    found = []
    for line in text.splitlines():
        parts = [None if part in ("", "(none)") else part for part in line.split("\t")]
        if len(parts) == 4 and parts[0] and parts[0] != "gpg-pubkey":
            found.append(Software(parts[0], parts[1], parts[2], parts[3], "rpm"))
    return found
