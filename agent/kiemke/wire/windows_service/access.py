"""Who may enter the folder of a service: the system, administrators and the service's own account."""

import ctypes
import hashlib
import struct
import sys
from pathlib import Path

SDDL_REVISION_1 = 1
SE_FILE_OBJECT = 1
DACL_SECURITY_INFORMATION = 0x4
PROTECTED_DACL_SECURITY_INFORMATION = 0x80000000
SHARE_ALL = 0x7
OPEN_EXISTING = 3
BACKUP_SEMANTICS = 0x02000000  # FILE_FLAG_BACKUP_SEMANTICS: a folder may be opened
INVALID_HANDLE = ctypes.c_void_p(-1).value
LONGEST_PATH = 32768
FULL, MODIFY = "FA", "0x1301bf"  # "modify" reads, writes and deletes, but gives no rights away


def service_sid(name: str) -> str:
    """Return the SID of a service's virtual account: the SHA-1 of its name in capitals ([MS-DTYP])."""
    digest = hashlib.sha1(name.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "-".join(("S-1-5-80", *(str(word) for word in struct.unpack("<5I", digest))))


def folder_sddl(name: str) -> str:
    """Return the access list of the state folder, inherited by all in it and from nothing above."""
    entries = (("SY", FULL), ("BA", FULL), (service_sid(name), MODIFY))
    return "D:PAI" + "".join(f"(A;OICI;{rights};;;{who})" for who, rights in entries)


def is_below(handle: int, path: Path) -> bool:
    """Tell whether the open file ``handle`` lies where ``path`` says, seen from its grandparent.

    Links of folders below that one lead elsewhere. Raises OSError. Windows only.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has handles of this kind")
    # Windows alone has it.
    import msvcrt

    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.CreateFileW.restype = ctypes.c_void_p
    base = path.parent.parent
    folder = kernel32.CreateFileW(
        ctypes.c_wchar_p(str(base)), 0, SHARE_ALL, None, OPEN_EXISTING, BACKUP_SEMANTICS, None
    )
    if folder in (None, INVALID_HANDLE):
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        wanted = f"{_final_path(kernel32, folder)}\\{path.parent.name}\\{path.name}"
        return _final_path(kernel32, msvcrt.get_osfhandle(handle)).lower() == wanted.lower()
    finally:
        kernel32.CloseHandle(ctypes.c_void_p(folder))


def _final_path(kernel32: "ctypes.CDLL", handle: int) -> str:
    """Return where an open file or folder really lies. Raises OSError. Windows only."""
    text = ctypes.create_unicode_buffer(LONGEST_PATH)
    length = kernel32.GetFinalPathNameByHandleW(ctypes.c_void_p(handle), text, LONGEST_PATH, 0)
    if not 0 < length < LONGEST_PATH:
        raise OSError("Windows does not say where a file lies")
    return text.value


def restrict(folder: Path, name: str) -> None:
    """Give ``folder`` and all in it the access list of the service ``name``. Raises OSError. Windows only."""
    if sys.platform != "win32":
        raise OSError("only Windows has access lists of this kind")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    descriptor, acl = ctypes.c_void_p(), ctypes.c_void_p()
    present, defaulted = ctypes.c_int(), ctypes.c_int()
    if not advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        ctypes.c_wchar_p(folder_sddl(name)), SDDL_REVISION_1, ctypes.byref(descriptor), None
    ):
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        if not advapi32.GetSecurityDescriptorDacl(
            descriptor, ctypes.byref(present), ctypes.byref(acl), ctypes.byref(defaulted)
        ):
            raise ctypes.WinError(ctypes.get_last_error())
        # This call, unlike SetFileSecurity, passes the list on to what is in the folder already.
        failed = advapi32.SetNamedSecurityInfoW(
            ctypes.c_wchar_p(str(folder)), SE_FILE_OBJECT,
            ctypes.c_uint32(DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION),
            None, None, acl, None,
        )  # fmt: skip
        if failed:
            raise ctypes.WinError(failed)
    finally:
        kernel32.LocalFree(descriptor)
