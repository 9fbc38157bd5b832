"""Who may enter the agent's folder: the system, administrators and the service's own account."""

import ctypes
import hashlib
import struct
import sys
from pathlib import Path

SERVICE_NAME = "kiemke-agent"
SERVICE_ACCOUNT = rf"NT SERVICE\{SERVICE_NAME}"
SDDL_REVISION_1 = 1
SE_FILE_OBJECT = 1
DACL_SECURITY_INFORMATION = 0x4
PROTECTED_DACL_SECURITY_INFORMATION = 0x80000000
FULL, MODIFY = "FA", "0x1301bf"  # "modify" reads, writes and deletes, but gives no rights away


def service_sid(name: str) -> str:
    """Return the SID of a service's virtual account: the SHA-1 of its name in capitals ([MS-DTYP])."""
    digest = hashlib.sha1(name.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "-".join(("S-1-5-80", *(str(word) for word in struct.unpack("<5I", digest))))


def folder_sddl(name: str = SERVICE_NAME) -> str:
    """Return the access list of the state folder, inherited by all in it and from nothing above."""
    entries = (("SY", FULL), ("BA", FULL), (service_sid(name), MODIFY))
    return "D:PAI" + "".join(f"(A;OICI;{rights};;;{who})" for who, rights in entries)


def restrict(folder: Path) -> None:
    """Give ``folder`` and all in it this access list. Raises OSError. Windows only."""
    if sys.platform != "win32":
        raise OSError("only Windows has access lists of this kind")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    descriptor, acl = ctypes.c_void_p(), ctypes.c_void_p()
    present, defaulted = ctypes.c_int(), ctypes.c_int()
    if not advapi32.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        ctypes.c_wchar_p(folder_sddl()), SDDL_REVISION_1, ctypes.byref(descriptor), None
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
