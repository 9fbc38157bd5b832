"""Whose the folder of a service is: one that somebody without rights made first is not used.

Below ProgramData everybody may make folders. Who made one may give himself rights in it for ever, and what he put
there before the installation would be read as the service's own. Sources: SetNamedSecurityInfo, CreateDirectory.
"""

import ctypes
import os
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from kiemke.wire.windows_service.access import (
    SDDL_REVISION_1,
    SE_FILE_OBJECT,
    folder_sddl,
    restrict,
    service_sid,
)

OWNER_SECURITY_INFORMATION = 0x1
TOKEN_QUERY = 0x8
TOKEN_USER = 1
LONGEST_TOKEN_BYTES = 1024
REPARSE_POINT = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT: a junction or another link
MOST_ENTRIES = 10_000
SYSTEM, ADMINISTRATORS = "S-1-5-18", "S-1-5-32-544"
TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"


class _SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES, minwinbase.h."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("descriptor", ctypes.c_void_p),
        ("inherits", ctypes.c_int),
    )


def secure(folder: Path, name: str) -> Path | None:
    """Have ``folder`` for the service ``name`` alone; return where what stood there was put aside, if anything.

    A folder that is a link, that somebody without rights owns, or that holds anything of his, is renamed and a
    new one is made, closed from its first moment. Raises OSError, also when it cannot be renamed because it is
    held open. Windows only.
    """
    aside = None
    if os.path.lexists(folder):
        if stranger(folder, trusted(name)) is None:
            restrict(folder, name)
            return None
        aside = folder.with_name(f"{folder.name}.not-ours-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        folder.rename(aside)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _make(folder, folder_sddl(name))
    return aside


def trusted(name: str) -> frozenset[str]:
    """Return the SIDs whose files are believed: Windows', the service's, and whoever runs this with rights."""
    known = {SYSTEM, ADMINISTRATORS, TRUSTED_INSTALLER, service_sid(name)}
    return frozenset(known | {own_sid()} if _is_administrator() else known)


def _is_administrator() -> bool:
    """Tell whether this runs with an administrator's rights. Source: IsUserAnAdmin."""
    return sys.platform == "win32" and bool(ctypes.WinDLL("shell32").IsUserAnAdmin())


def stranger(folder: Path, believed: Collection[str]) -> tuple[Path, str] | None:
    """Return the first that is a link ("link") or another's (his SID): the folder or what is in it; else None.

    Raises OSError for what cannot be read, and for more entries than a service's folder can have.
    """
    waiting, count = [folder], 0
    while waiting:
        path = waiting.pop()
        count += 1
        if count > MOST_ENTRIES:
            raise OSError(f"{folder} holds more than {MOST_ENTRIES} files")
        if is_link(path):
            return path, "link"
        owner = owner_of(path)
        if owner not in believed:
            return path, owner
        if path.is_dir():
            waiting += sorted(path.iterdir())
    return None


def is_link(path: Path) -> bool:
    """Tell whether a path is a link of any kind. Raises OSError."""
    about = path.lstat()
    return bool(getattr(about, "st_file_attributes", 0) & REPARSE_POINT) or path.is_symlink()


def owner_of(path: Path) -> str:
    """Return the SID of the account a file or folder belongs to. Raises OSError. Windows only."""
    if sys.platform != "win32":
        raise OSError("only Windows has owners of this kind")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    owner, descriptor = ctypes.c_void_p(), ctypes.c_void_p()
    failed = advapi32.GetNamedSecurityInfoW(
        ctypes.c_wchar_p(str(path)), SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION,
        ctypes.byref(owner), None, None, None, ctypes.byref(descriptor),
    )  # fmt: skip
    if failed:
        raise ctypes.WinError(failed)
    try:
        return _sid_text(owner)
    finally:
        kernel32.LocalFree(descriptor)


def own_sid() -> str:
    """Return the SID of the account that runs this. Raises OSError. Windows only."""
    if sys.platform != "win32":
        raise OSError("only Windows has accounts of this kind")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    token, size = ctypes.c_void_p(), ctypes.c_uint32()
    process = ctypes.c_void_p(kernel32.GetCurrentProcess())
    if not advapi32.OpenProcessToken(process, TOKEN_QUERY, ctypes.byref(token)):
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        told = ctypes.create_string_buffer(LONGEST_TOKEN_BYTES)
        if not advapi32.GetTokenInformation(
            token, TOKEN_USER, told, LONGEST_TOKEN_BYTES, ctypes.byref(size)
        ):
            raise ctypes.WinError(ctypes.get_last_error())
        return _sid_text(ctypes.c_void_p.from_buffer(told))  # TOKEN_USER begins with a pointer
    finally:
        kernel32.CloseHandle(token)


def _sid_text(sid: ctypes.c_void_p) -> str:
    """Return a SID as text. Raises OSError."""
    if sys.platform != "win32":
        raise OSError("only Windows has SIDs")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    text = ctypes.c_wchar_p()
    if not advapi32.ConvertSidToStringSidW(sid, ctypes.byref(text)):
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        return text.value or ""
    finally:
        ctypes.WinDLL("kernel32").LocalFree(ctypes.cast(text, ctypes.c_void_p))


def _make(folder: Path, sddl: str) -> None:
    """Make a folder that has its access list from the first moment. Raises OSError."""
    if sys.platform != "win32":
        raise OSError("only Windows has access lists of this kind")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    descriptor = ctypes.c_void_p()
    if not advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        ctypes.c_wchar_p(sddl), SDDL_REVISION_1, ctypes.byref(descriptor), None
    ):
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        size = ctypes.sizeof(_SecurityAttributes)
        attributes = _SecurityAttributes(size, descriptor.value, 0)
        if not kernel32.CreateDirectoryW(ctypes.c_wchar_p(str(folder)), ctypes.byref(attributes)):
            raise ctypes.WinError(ctypes.get_last_error())
    finally:
        kernel32.LocalFree(descriptor)
