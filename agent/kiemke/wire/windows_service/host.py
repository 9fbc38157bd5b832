"""A program under the service manager of Windows: it reports its state and hears "stop".

Source: StartServiceCtrlDispatcherW, RegisterServiceCtrlHandlerExW, SetServiceStatus (winsvc.h).
"""

import ctypes
import sys
from collections.abc import Callable
from ctypes import Structure, byref, c_uint32, c_void_p, c_wchar_p
from pathlib import Path

from kiemke.wire.windows_service.log import CappedLog

SERVICE_WIN32_OWN_PROCESS = 0x10
STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
CONTROL_STOP, CONTROL_INTERROGATE, CONTROL_SHUTDOWN = 1, 4, 5
ACCEPTS_STOP_AND_SHUTDOWN = 0x1 | 0x4
NO_ERROR, ERROR_CALL_NOT_IMPLEMENTED, ERROR_SERVICE_SPECIFIC = 0, 120, 1066
STOP_HINT_MILLISECONDS = 15_000


class ServiceStatus(Structure):
    """SERVICE_STATUS."""

    _fields_ = tuple(
        (name, c_uint32)
        for name in (
            "type", "state", "accepts", "exit_code", "own_exit_code", "check_point",
            "wait_hint_milliseconds",
        )
    )  # fmt: skip


class TableEntry(Structure):
    """SERVICE_TABLE_ENTRYW."""

    _fields_ = (("name", c_wchar_p), ("main", c_void_p))


def serve(name: str, log: Path, work: Callable[[], int], stop: Callable[[str], None]) -> int:
    """Be the service until the manager ends it; return 0, or ``work``'s own exit status.

    ``work`` runs in the manager's thread and ends soon after ``stop`` was called, from another thread, with
    "machine" (it shuts down) or "service". What is printed goes to ``log``. Raises OSError when the
    manager did not start this process. Windows only.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has this service manager")
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    advapi32.RegisterServiceCtrlHandlerExW.restype = c_void_p
    main_type = ctypes.WINFUNCTYPE(None, c_uint32, c_void_p)
    handler_type = ctypes.WINFUNCTYPE(c_uint32, c_uint32, c_uint32, c_void_p, c_void_p)
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout = sys.stderr = CappedLog(log)  # a service has no console
    handle: list[int] = []
    ended: list[int] = []

    def tell(now: int, code: int = NO_ERROR) -> None:
        status = ServiceStatus(
            SERVICE_WIN32_OWN_PROCESS, now, ACCEPTS_STOP_AND_SHUTDOWN if now == RUNNING else 0,
            ERROR_SERVICE_SPECIFIC if code else NO_ERROR, code, 0,
            STOP_HINT_MILLISECONDS if now in (START_PENDING, STOP_PENDING) else 0,
        )  # fmt: skip
        advapi32.SetServiceStatus(c_void_p(handle[0]), byref(status))

    def hear(control: int, kind: int, data: object, context: object) -> int:
        if control in (CONTROL_STOP, CONTROL_SHUTDOWN):
            tell(STOP_PENDING)
            stop("machine" if control == CONTROL_SHUTDOWN else "service")
            return NO_ERROR
        return NO_ERROR if control == CONTROL_INTERROGATE else ERROR_CALL_NOT_IMPLEMENTED

    def be(count: int, words: object) -> None:
        handle.append(advapi32.RegisterServiceCtrlHandlerExW(c_wchar_p(name), handler, None))
        tell(RUNNING)
        code = 1
        try:
            code = work()
        finally:
            ended.append(code)
            tell(STOPPED, code)

    handler, main = handler_type(hear), main_type(be)  # kept: Windows calls them
    table = (TableEntry * 2)(TableEntry(name, ctypes.cast(main, c_void_p)), TableEntry(None, None))
    if not advapi32.StartServiceCtrlDispatcherW(byref(table)):
        raise ctypes.WinError(ctypes.get_last_error())
    return ended[0] if ended else 1
