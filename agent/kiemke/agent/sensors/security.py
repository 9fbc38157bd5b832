"""The settings an auditor asks for: logon, screen lock, autorun, restart. Source: registry; files of Linux."""

import configparser

from kiemke.agent.host import Host
from kiemke.wire.inventory import Row, Security

NAME = "security"
SECTIONS = ("security",)
SOURCE = (
    "display managers' files, reboot-required, the SecureBoot variable; Windows: Winlogon, "
    "screen saver, Policies, restart marks"
)
RIGHTS = "any account"
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
RESTART = ("run/reboot-required", "var/run/reboot-required")
# Display managers and where each is told to log somebody in by itself: file, section, key.
AUTO_LOGON = (
    ("etc/gdm3/daemon.conf", "daemon", "AutomaticLoginEnable"),
    ("etc/gdm/custom.conf", "daemon", "AutomaticLoginEnable"),
    ("etc/lightdm/lightdm.conf", "Seat:*", "autologin-user"),
    ("etc/sddm.conf", "Autologin", "User"),
)


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Security; absent on a recording that has nothing of it."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import security

        return {"security": (security.settings(host.windows),)}
    row = Security(
        is_auto_logon=_auto_logon(host),
        is_reboot_pending=_restart(host),
        is_secure_boot=_secure_boot(host),
    )
    return {} if row == Security() else {"security": (row,)}


def _auto_logon(host: Host) -> bool | None:
    """Tell whether somebody is logged in without a password; None without a display manager."""
    known: bool | None = None
    for file, section, key in AUTO_LOGON:
        text = host.text(file)
        if text is None:
            continue
        said = configparser.ConfigParser(strict=False, interpolation=None)
        try:
            said.read_string(text)
        except configparser.Error:
            continue
        value = said.get(section, key, fallback="").strip().casefold()
        known = bool(known) or value not in ("", "false", "0", "no")
    return known


def _restart(host: Host) -> bool | None:
    """Tell whether an update waits for a restart; only Debian's kin leave such a mark."""
    if any(host.path(name).exists() for name in RESTART):
        return True
    return False if host.path("etc/debian_version").exists() else None


def _secure_boot(host: Host) -> bool | None:
    """Tell whether the firmware demands signed loaders: four bytes of attributes, then 1 or 0."""
    try:
        data = host.path(SECURE_BOOT).read_bytes()
    except OSError:
        return None
    return data[4] == 1 if len(data) >= 5 else None
