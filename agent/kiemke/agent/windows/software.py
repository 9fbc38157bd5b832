"""The programs Windows lists for removal, in both views and of each user, and the Store's apps."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.registry import Registry, as_number, as_text, is_person, shown
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
# "20170502", and as some installers write it "2017-05-02" or "2017/5/2", a time of the day behind it or not.
DAY = re.compile(
    r"((?:19|20)\d\d)([-/.]?)(\d{1,2})\2(\d{1,2})(?:[T ]?\d{1,2}:?\d\d(?::?\d\d)?\S*)?"
)
# With the year last the greater number must tell which is the day.
YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2((?:19|20)\d\d)(?:[T ].*)?")
FIRST_SECONDS, LAST_SECONDS = 946_684_800, 4_102_444_800  # 2000 and 2100, since 1970
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


def of_absent_users(windows: Windows, rows: Iterable[dict[str, Any]]) -> list[Software]:
    """Return of ``rows``, which an earlier inventory told, those of users who are not logged in now.

    Windows shows a user's programs only while he is logged in; what was seen then counts until he is again, or
    his profile is deleted. His hive is not opened: who logs in meanwhile would be given an empty profile.
    """
    registry = windows.registry
    loaded = {hive.partition("\\")[2] for hive in registry.users()}
    sids = [sid for sid in registry.names(PROFILES) if is_person(sid) and sid not in loaded]
    absent = {account(registry, f"HKU\\{sid}") for sid in sids}
    known = {field.name for field in fields(Software)}
    return [
        Software(**{name: value for name, value in row.items() if name in known})
        for row in rows
        if row.get("user") in absent and row.get("name")
    ]


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
            installed_on=_installed_on(values.get("installdate")),
            user=user,
            kind=_kind(name, title, values),
            size_bytes=_size(values),
        )


def _kind(key: str, title: str, values: dict[str, object]) -> str | None:
    """Return "update" or "component" for what Windows does not show among programs."""
    release = (as_text(values.get("releasetype")) or "").casefold()
    parent = as_text(values.get("parentkeyname")) or as_text(values.get("parentdisplayname"))
    is_component = bool(as_number(values.get("systemcomponent")))
    if release in UPDATE_RELEASES or UPDATE_NAME.search(title) or UPDATE_NAME.search(key):
        return "update"
    if parent and is_component and not release:
        return "component"  # a part of what its parent lists, as Office's languages are
    return "update" if parent else "component" if is_component else None


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


def _installed_on(value: object) -> str | None:
    """Return the day of an InstallDate: a date in words, or seconds since 1970 as a number."""
    if isinstance(value, int) and FIRST_SECONDS <= value < LAST_SECONDS:
        return datetime.fromtimestamp(value, UTC).date().isoformat()
    return day(as_text(value))


def day(text: str | None) -> str | None:
    """Return YYYY-MM-DD of a date with its year first, or last where only one of the others can be a month."""
    first = DAY.fullmatch(text or "")
    if first is not None and (first[2] or len(first[3] + first[4]) == 4):
        return _date(first[1], first[3], first[4])
    last = YEAR_LAST.fullmatch(text or "")
    if last is None:
        return None
    if int(last[1]) > 12 or last[1] == last[3]:
        return _date(last[4], last[3], last[1])
    return _date(last[4], last[1], last[3]) if int(last[3]) > 12 else None


def _date(year: str, month: str, day_of_month: str) -> str | None:
    try:
        return date(int(year), int(month), int(day_of_month)).isoformat()
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
