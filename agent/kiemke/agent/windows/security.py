"""What Windows' registry says of its guards: settings, firewall, updates, clock and the last user."""

import re

from kiemke.agent.windows.port import Windows
from kiemke.agent.windows.registry import as_texts, moment
from kiemke.wire.inventory import Firewall, Hotfix, LastUser, Security, TimeSource

WINLOGON = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
LOGON = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication\LogonUI"
POLICIES = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies"
DESKTOP = r"Control Panel\Desktop"
DESKTOP_POLICY = r"Software\Policies\Microsoft\Windows\Control Panel\Desktop"
SECURE_BOOT = r"HKLM\SYSTEM\CurrentControlSet\Control\SecureBoot\State"
SESSION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
SERVICING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
UPDATE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"
FIREWALL = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
FIREWALL_POLICY = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall"
TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
PROFILES = (
    ("domain", "DomainProfile"),
    ("private", "StandardProfile"),
    ("public", "PublicProfile"),
)
ALL_DRIVES = 0xFF
INSTALLED = 0x70  # CurrentState of a package that is in use
KB = re.compile(r"Package(?:_\d+)?_for_(KB\d{6,8})~", re.IGNORECASE)
ROLLUP = re.compile(r"Package_for_RollupFix~[^~]*~[^~]*~[^~]*~([\d.]+)", re.IGNORECASE)


def settings(windows: Windows) -> Security:
    """Return the settings an auditor asks for; what the registry does not hold is None."""
    registry = windows.registry
    machine = f"HKLM\\{POLICIES}"
    auto = registry.number(WINLOGON, "AutoAdminLogon")
    secure_boot = registry.number(SECURE_BOOT, "UEFISecureBootEnabled")
    uac = registry.number(f"{machine}\\System", "EnableLUA")
    return Security(
        is_auto_logon=bool(auto) if registry.exists(WINLOGON) else None,
        screen_lock_seconds=_screen_lock(windows),
        is_autorun_off=_is_autorun_off(windows),
        is_reboot_pending=_is_reboot_pending(windows),
        is_secure_boot=None if secure_boot is None else bool(secure_boot),
        is_uac_on=None if uac is None else bool(uac),
    )


def _screen_lock(windows: Windows) -> int | None:
    """Return the longest time to a locked screen over the logged-in users, 0 when one never locks.

    Of a user's screen saver and the machine's inactivity limit the shorter counts.
    """
    registry = windows.registry
    limit = registry.number(f"HKLM\\{POLICIES}\\System", "InactivityTimeoutSecs") or 0
    times = []
    for hive in registry.users():

        def said(name: str, hive: str = hive) -> int | None:
            policy = registry.number(f"{hive}\\{DESKTOP_POLICY}", name)
            return policy if policy is not None else registry.number(f"{hive}\\{DESKTOP}", name)

        if not registry.exists(f"{hive}\\{DESKTOP}"):
            continue
        locks = said("ScreenSaveActive") and said("ScreenSaverIsSecure")
        seconds = (said("ScreenSaveTimeOut") or 0) if locks else 0
        times.append(min(filter(None, (seconds, limit)), default=0))
    if not times:
        return limit or None
    return 0 if 0 in times else max(times)


def _is_autorun_off(windows: Windows) -> bool | None:
    registry = windows.registry
    machine = f"HKLM\\{POLICIES}\\Explorer"
    if not registry.exists(f"HKLM\\{POLICIES}"):
        return None
    if _covers(windows, machine):
        return True
    users = registry.users()
    return bool(users) and all(_covers(windows, f"{hive}\\{POLICIES}\\Explorer") for hive in users)


def _covers(windows: Windows, path: str) -> bool:
    """Tell whether a policy forbids starting programs from every kind of drive."""
    drives = windows.registry.number(path, "NoDriveTypeAutoRun")
    return (drives is not None and drives & ALL_DRIVES == ALL_DRIVES) or bool(
        windows.registry.number(path, "NoAutorun")
    )


def _is_reboot_pending(windows: Windows) -> bool | None:
    """Tell whether an installation waits for a restart; None where Windows keeps no such mark."""
    registry = windows.registry
    if registry.exists(f"{SERVICING}\\RebootPending") or registry.exists(
        f"{UPDATE}\\RebootRequired"
    ):
        return True
    renames = registry.value(SESSION_MANAGER, "PendingFileRenameOperations")
    if isinstance(renames, list) and any(renames):
        return True
    return False if registry.exists(SESSION_MANAGER) else None


def firewall(windows: Windows) -> list[Firewall]:
    """Return the three profiles, by policy where one rules; none where there is no firewall."""
    found = []
    for profile, key in PROFILES:
        forced = windows.registry.number(f"{FIREWALL_POLICY}\\{key}", "EnableFirewall")
        chosen = windows.registry.number(f"{FIREWALL}\\{key}", "EnableFirewall")
        state = chosen if forced is None else forced
        if state is not None:
            found.append(Firewall(profile, bool(state)))
    return found


def hotfixes(windows: Windows) -> list[Hotfix]:
    """Return the updates in use: those with a KB number, and the newest cumulative one by its build."""
    registry = windows.registry
    found: dict[str, Hotfix] = {}
    for name in registry.names(f"{SERVICING}\\Packages"):
        known = KB.match(name)
        rollup = None if known else ROLLUP.match(name)
        if known is None and rollup is None:
            continue
        path = f"{SERVICING}\\Packages\\{name}"
        if registry.number(path, "CurrentState") != INSTALLED:
            continue
        high, low = (
            registry.number(path, "InstallTimeHigh"),
            registry.number(path, "InstallTimeLow"),
        )
        at = moment((high << 32) + low) if high is not None and low is not None else None
        day = None if at is None else at.date().isoformat()
        if known:
            found.setdefault(known[1].upper(), Hotfix(known[1].upper(), day))
        elif rollup:
            build = ".".join(rollup[1].split(".")[:2])
            earlier = found.get("cumulative")
            if earlier is None or _order(build) > _order(earlier.build or ""):
                found["cumulative"] = Hotfix("cumulative", day, build)
    return [found[name] for name in sorted(found)]


def _order(build: str) -> tuple[int, ...]:
    return tuple(int(part) for part in build.split(".") if part.isdecimal())


def time_source(windows: Windows) -> TimeSource | None:
    """Return where Windows' time service has its time from, None without the service."""
    kind = windows.registry.text(f"{TIME}\\Parameters", "Type")
    if kind is None:
        return None
    # "pool.ntp.org,0x9 time.windows.com,0x9": a name, then flags
    words = as_texts(windows.registry.text(f"{TIME}\\Parameters", "NtpServer"))
    servers = tuple(word for word in words if not word.casefold().startswith("0x"))
    named = {"NTP": "ntp", "NT5DS": "domain", "ALLSYNC": "domain", "NOSYNC": "none"}
    is_off = windows.registry.number(TIME, "Start") == 4
    word = "none" if is_off else named.get(kind.upper())
    return TimeSource(word, servers if word == "ntp" else ())


def last_user(windows: Windows) -> LastUser | None:
    """Return who was last at the machine; "." is the machine's own account."""
    said = windows.registry.text(LOGON, "LastLoggedOnSAMUser") or windows.registry.text(
        LOGON, "LastLoggedOnUser"
    )
    if said is None:
        return None
    domain, slash, user = said.rpartition("\\")
    if not slash:
        user, _, domain = said.partition("@")
    return LastUser(user, domain if domain not in ("", ".") else None) if user else None
