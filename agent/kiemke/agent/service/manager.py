"""The service manager's entry for the agent: made or mended, with recovery and least rights.

Source: OpenSCManagerW, CreateServiceW, ChangeServiceConfig2W (winsvc.h).
"""

import ctypes
import sys
from ctypes import Structure, byref, c_int, c_uint32, c_void_p, c_wchar_p
from pathlib import Path

from kiemke.agent.service.access import SERVICE_ACCOUNT, SERVICE_NAME

DISPLAY_NAME = "kiemke agent"
DESCRIPTION = "Counts this machine and tells the office's server. Opens no port, takes no commands."
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


def service_command(program: Path, state: Path) -> str:
    """Return the command line the service manager starts."""
    return f'"{program}" -m kiemke.agent.main service --state "{state}"'


def install(program: Path, state: Path) -> tuple[str, ...]:
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
            c_void_p(manager), c_wchar_p(SERVICE_NAME), c_uint32(SERVICE_ALL_ACCESS)
        )
        if not service:
            code = ctypes.get_last_error()
            if code != ERROR_SERVICE_DOES_NOT_EXIST:
                raise ctypes.WinError(code)
            service = advapi32.CreateServiceW(
                c_void_p(manager), c_wchar_p(SERVICE_NAME), c_wchar_p(DISPLAY_NAME),
                c_uint32(SERVICE_ALL_ACCESS), SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
                SERVICE_ERROR_NORMAL, c_wchar_p(service_command(program, state)), None, None, None,
                c_wchar_p(SERVICE_ACCOUNT), None,
            )  # fmt: skip
            if not service:
                raise ctypes.WinError(ctypes.get_last_error())
        elif not advapi32.ChangeServiceConfigW(
            c_void_p(service), SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
            SERVICE_ERROR_NORMAL, c_wchar_p(service_command(program, state)), None, None, None,
            c_wchar_p(SERVICE_ACCOUNT), None, c_wchar_p(DISPLAY_NAME),
        ):  # fmt: skip
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            return _configure(advapi32, service)
        finally:
            advapi32.CloseServiceHandle(c_void_p(service))
    finally:
        advapi32.CloseServiceHandle(c_void_p(manager))


def _configure(advapi32: "ctypes.CDLL", service: int) -> tuple[str, ...]:
    """Set all that CreateService cannot; return the names of what Windows refused."""
    actions = (Action * len(RESTART_MILLISECONDS))(
        *(Action(SC_ACTION_RESTART, delay) for delay in RESTART_MILLISECONDS)
    )
    failure = FailureActions(
        FORGET_FAILURES_SECONDS, None, None, len(actions), ctypes.cast(actions, c_void_p)
    )
    privileges = ctypes.create_unicode_buffer("\0".join(PRIVILEGES) + "\0")
    wanted: tuple[tuple[str, int, object], ...] = (
        ("description", CONFIG_DESCRIPTION, byref(c_wchar_p(DESCRIPTION))),
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
