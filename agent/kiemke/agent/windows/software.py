"""The programs Windows lists for removal, in both views and of each user, and the Store's apps."""

import re
from collections.abc import Iterator
from datetime import date

from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.registry import Registry, as_number, as_text, shown
from kiemke.wire.inventory import Software

UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
APPX = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications"
USER_APPS = r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages"
PROFILES = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
# What an app stands on, not an app.
FRAMEWORKS = (
    "Microsoft.VCLibs",
    "Microsoft.NET.",
    "Microsoft.UI.Xaml",
    "Microsoft.WindowsAppRuntime",
)
WORDS = {32: "x86", 64: "x86_64"}
# "20170502", and as some installers write it "2017-05-02" or "2017/5/2". With the year last nobody knows
# which is the month.
DAY = re.compile(r"((?:19|20)\d\d)([-/.]?)(\d{1,2})\2(\d{1,2})")
PUBLISHER_ID = re.compile(r"[a-z0-9]{13}")
# What Windows itself leaves out of its list of programs, or shows as updates.
UPDATE_RELEASES = ("hotfix", "security update", "service pack", "update", "update rollup")
UPDATE_NAME = re.compile(r"\(KB\d{6,8}(?:v\d)?\)|\bKB\d{6,8}(?:v\d)?\s*$", re.IGNORECASE)
MOST_KILOBYTES = 1 << 32  # of a DWORD; some entries hold more, or text


def read(windows: Windows) -> list[Software]:
    """Return one Software a program; the same one under several keys is one."""
    registry = windows.registry
    found = programs(windows)
    for hive in registry.users():
        found += _apps(registry, f"{hive}_Classes\\{USER_APPS}", account(registry, hive))
    found += _apps(registry, APPX, None)
    return list(_once(found))


def programs(windows: Windows) -> list[Software]:
    """Return the programs that can be removed: of the machine in both views, and of each user."""
    registry = windows.registry
    is_64 = registry.exists(r"HKLM\SOFTWARE\Wow6432Node")
    found = [
        *_programs(registry, f"HKLM\\{UNINSTALL}", WORDS[64] if is_64 else None),
        *_programs(registry, f"HKLM\\{UNINSTALL}", WORDS[32], is_32=True),
    ]
    for hive in registry.users():
        user = account(registry, hive)
        found += _programs(registry, f"{hive}\\{UNINSTALL}", None, user=user)
    return found


def _once(found: list[Software]) -> Iterator[Software]:
    """Yield each program once: a 32-bit Windows shows one view twice, users share apps."""
    known: set[tuple[str, str | None, str | None, str | None]] = set()
    for one in found:
        # The 64-bit view comes first: the same entry in the other is its mirror.
        key = (one.name, one.version, one.publisher, one.user if one.origin == "user" else None)
        if key not in known:
            known.add(key)
            yield one


def _programs(
    registry: Registry,
    path: str,
    architecture: str | None,
    *,
    is_32: bool = False,
    user: str | None = None,
) -> Iterator[Software]:
    """Yield the programs of one Uninstall key; an entry without a name is none."""
    for name in registry.names(path, is_32=is_32):
        found = registry.values(f"{path}\\{name}", is_32=is_32)
        values = {key.casefold(): value for key, value in found.items()}
        told = as_text(values.get("displayname"))
        if told is None:
            continue
        # Where Windows would look the words up, the key's own name is one; a product code is none.
        title = shown(told) or (told if name.startswith("{") else name)
        yield Software(
            name=title,
            version=as_text(values.get("displayversion")) or _version(values),
            publisher=as_text(values.get("publisher")),
            architecture=architecture,
            origin="registry" if not path.startswith("HKU") else "user",
            installed_on=day(as_text(values.get("installdate"))),
            user=user,
            kind=_kind(name, title, values),
            size_bytes=_size(values),
        )


def _kind(key: str, title: str, values: dict[str, object]) -> str | None:
    """Return "update" or "component" for what Windows does not show among programs."""
    release = (as_text(values.get("releasetype")) or "").casefold()
    parent = as_text(values.get("parentkeyname")) or as_text(values.get("parentdisplayname"))
    if parent or release in UPDATE_RELEASES or UPDATE_NAME.search(title) or UPDATE_NAME.search(key):
        return "update"
    return "component" if as_number(values.get("systemcomponent")) else None


def _size(values: dict[str, object]) -> int | None:
    """Return EstimatedSize in bytes; Windows keeps kilobytes."""
    kilobytes = as_number(values.get("estimatedsize"))
    if kilobytes is None or not 0 < kilobytes < MOST_KILOBYTES:
        return None
    return kilobytes * 1024


def _version(values: dict[str, object]) -> str | None:
    """Return "major.minor" where the entry gives numbers alone."""
    for major, minor in (("versionmajor", "versionminor"), ("majorversion", "minorversion")):
        first = as_number(values.get(major))
        if first is not None:
            return f"{first}.{as_number(values.get(minor)) or 0}"
    packed = values.get("version")
    if isinstance(packed, int) and packed > 0xFFFF:  # MSI: major, minor, 16 bits of build
        return f"{packed >> 24}.{packed >> 16 & 0xFF}.{packed & 0xFFFF}"
    return as_text(packed) if isinstance(packed, str) else None


def day(text: str | None) -> str | None:
    """Return YYYY-MM-DD of a date written with the year first, None of anything else."""
    found = DAY.fullmatch(text or "")
    if found is None or (not found[2] and len(found[0]) != 8):
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4])).isoformat()
    except ValueError:
        return None


def _apps(registry: Registry, path: str, user: str | None) -> Iterator[Software]:
    """Yield the Store's apps of one key: a sub-key is Name_Version_Architecture_Resource_Publisher."""
    for full in registry.names(path):
        parts = full.split("_")
        # A package with a resource (a language, a scale) is a part of one without.
        if len(parts) != 5 or parts[3] or not PUBLISHER_ID.fullmatch(parts[4]):
            continue
        if parts[0].startswith(FRAMEWORKS):
            continue
        yield Software(
            name=shown(registry.text(f"{path}\\{full}", "DisplayName")) or parts[0],
            version=parts[1] or None,
            architecture={"x64": "x86_64"}.get(parts[2], parts[2]),
            origin="store",
            user=user,
        )


def account(registry: Registry, hive: str) -> str | None:
    """Return the account a hive belongs to, by the folder of its profile; its SID when unknown."""
    sid = hive.partition("\\")[2]
    folder = registry.text(f"{PROFILES}\\{sid}", "ProfileImagePath")
    return sid if folder is None else folder.replace("/", "\\").rstrip("\\").rpartition("\\")[2]
