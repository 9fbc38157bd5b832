"""The service manager's entry for one of our programs: made or mended, with recovery and least rights.

Source: OpenSCManagerW, CreateServiceW, ChangeServiceConfig2W (winsvc.h).
"""

import ctypes
import sys
from ctypes import Structure, byref, c_int, c_uint32, c_void_p, c_wchar_p
from dataclasses import dataclass

SC_MANAGER_ALL_ACCESS = 0xF003F
SERVICE_ALL_ACCESS = 0xF01FF
SERVICE_WIN32_OWN_PROCESS = 0x10
SERVICE_AUTO_START = 2
SERVICE_ERROR_NORMAL = 1
ERROR_SERVICE_DOES_NOT_EXIST = 1060
CONFIG_DESCRIPTION = 1
CONFIG_FAILURE_ACTIONS = 2
CONFIG_DELAYED_AUTO_START = 3
CONFIG_SID_TYPE = 5
CONFIG_REQUIRED_PRIVILEGES = 6
SC_ACTION_RESTART = 1
SID_TYPE_UNRESTRICTED = 1
# What opening a file by its full path takes; every other privilege is dropped at the start.
PRIVILEGES = ("SeChangeNotifyPrivilege",)
RESTART_MILLISECONDS = (30_000, 60_000, 300_000)  # the last one again and again
FORGET_FAILURES_SECONDS = 86_400


class Action(Structure):
    """SC_ACTION."""

    _fields_ = (("type", c_int), ("delay_milliseconds", c_uint32))


class FailureActions(Structure):
    """SERVICE_FAILURE_ACTIONSW."""

    _fields_ = (
        ("reset_seconds", c_uint32),
        ("reboot_message", c_wchar_p),
        ("command", c_wchar_p),
        ("count", c_uint32),
        ("actions", c_void_p),
    )


@dataclass(frozen=True, slots=True)
class Service:
    """What one service is called and what the manager starts for it."""

    name: str
    display_name: str
    description: str
    command: str

    @property
    def account(self) -> str:
        """The virtual account of its own under which it runs."""
        return rf"NT SERVICE\{self.name}"


def install(entry: Service) -> tuple[str, ...]:
    """Make the service, or mend the one that is there; return the settings that were refused.

    Starts nothing. Raises OSError when there is no service afterwards. Windows only.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has this service manager")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    for name in ("OpenSCManagerW", "OpenServiceW", "CreateServiceW"):
        getattr(advapi32, name).restype = c_void_p
    manager = advapi32.OpenSCManagerW(None, None, c_uint32(SC_MANAGER_ALL_ACCESS))
    if not manager:
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        service = advapi32.OpenServiceW(
            c_void_p(manager), c_wchar_p(entry.name), c_uint32(SERVICE_ALL_ACCESS)
        )
        if not service:
            code = ctypes.get_last_error()
            if code != ERROR_SERVICE_DOES_NOT_EXIST:
                raise ctypes.WinError(code)
            service = advapi32.CreateServiceW(
                c_void_p(manager), c_wchar_p(entry.name), c_wchar_p(entry.display_name),
                c_uint32(SERVICE_ALL_ACCESS), SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                SERVICE_ERROR_NORMAL, c_wchar_p(entry.command), None, None, None,
                c_wchar_p(entry.account), None,
            )  # fmt: skip
            if not service:
                raise ctypes.WinError(ctypes.get_last_error())
        elif not advapi32.ChangeServiceConfigW(
            c_void_p(service), SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
            SERVICE_ERROR_NORMAL, c_wchar_p(entry.command), None, None, None,
            c_wchar_p(entry.account), None, c_wchar_p(entry.display_name),
        ):  # fmt: skip
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            return _configure(advapi32, service, entry)
        finally:
            advapi32.CloseServiceHandle(c_void_p(service))
    finally:
        advapi32.CloseServiceHandle(c_void_p(manager))


def remove(name: str) -> None:
    """Take the entry of a service away; a running one goes when it has ended. Raises OSError. Windows only."""
    if sys.platform != "win32":
        raise OSError("only Windows has this service manager")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    for call in ("OpenSCManagerW", "OpenServiceW"):
        getattr(advapi32, call).restype = c_void_p
    handles = [advapi32.OpenSCManagerW(None, None, c_uint32(SC_MANAGER_ALL_ACCESS))]
    try:
        if handles[0]:
            rights = c_uint32(SERVICE_ALL_ACCESS)
            handles.append(advapi32.OpenServiceW(c_void_p(handles[0]), c_wchar_p(name), rights))
        if not handles[-1] or not advapi32.DeleteService(c_void_p(handles[-1])):
            raise ctypes.WinError(ctypes.get_last_error())
    finally:
        for handle in filter(None, handles):
            advapi32.CloseServiceHandle(c_void_p(handle))


def _configure(advapi32: "ctypes.CDLL", service: int, entry: Service) -> tuple[str, ...]:
    """Set all that CreateService cannot; return the names of what Windows refused."""
    actions = (Action * len(RESTART_MILLISECONDS))(
        *(Action(SC_ACTION_RESTART, delay) for delay in RESTART_MILLISECONDS)
    )
    failure = FailureActions(
        FORGET_FAILURES_SECONDS, None, None, len(actions), ctypes.cast(actions, c_void_p)
    )
    privileges = ctypes.create_unicode_buffer("\0".join(PRIVILEGES) + "\0")
    wanted: tuple[tuple[str, int, object], ...] = (
        ("description", CONFIG_DESCRIPTION, byref(c_wchar_p(entry.description))),
        ("recovery", CONFIG_FAILURE_ACTIONS, byref(failure)),
        ("delayed start", CONFIG_DELAYED_AUTO_START, byref(c_int(1))),
        ("service SID", CONFIG_SID_TYPE, byref(c_uint32(SID_TYPE_UNRESTRICTED))),
        (
            "privileges",
            CONFIG_REQUIRED_PRIVILEGES,
            byref(c_void_p(ctypes.addressof(privileges))),
        ),
    )
    return tuple(
        name
        for name, level, value in wanted
        if not advapi32.ChangeServiceConfig2W(c_void_p(service), c_uint32(level), value)
    )
