"""The running Windows, by ctypes: each call documented at learn.microsoft.com/windows/win32/api."""

import ctypes
import importlib
import json
from typing import Any

from kiemke.agent.journal import warn
from kiemke.agent.program import own_command
from kiemke.agent.windows.registry import Registry

SMBIOS_PROVIDER = 0x52534D42  # 'RSMB', GetSystemFirmwareTable
FILTER_PRESENT = 0x100  # CM_GETIDLIST_FILTER_PRESENT
GENERIC_READ = 0x80000000
SHARE_READ_WRITE = 3
OPEN_EXISTING = 3
INVALID_HANDLE = ctypes.c_void_p(-1).value
LABEL_CHARACTERS = 261
MOST_BYTES = 16 << 20
PROBE_SECONDS = 20.0


def library(name: str) -> Any:
    """Return one of Windows' libraries (ctypes knows the loader on Windows alone)."""
    loader: Any = ctypes
    return loader.WinDLL(name, use_last_error=True)


class LiveWindows:
    """Asks the running Windows; see ``port.Windows``."""

    def __init__(self) -> None:
        """Open the registry; libraries are loaded when they are asked."""
        self.registry = Registry(importlib.import_module("winreg"))

    def firmware(self) -> bytes | None:
        """Return the raw SMBIOS table with Windows' eight bytes before it, None without one."""
        ask = library("kernel32").GetSystemFirmwareTable
        ask.argtypes = (ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32)
        ask.restype = ctypes.c_uint32
        size = ask(SMBIOS_PROVIDER, 0, None, 0)
        if not 0 < size <= MOST_BYTES:
            return None
        buffer = ctypes.create_string_buffer(size)
        given = ask(SMBIOS_PROVIDER, 0, buffer, size)
        return buffer.raw[:given] if 0 < given <= size else None

    def present_devices(self) -> frozenset[str] | None:
        """Return the instance ids, upper case, of what is plugged in; None when it cannot tell."""
        manager = library("cfgmgr32")
        size = ctypes.c_uint32(0)
        if manager.CM_Get_Device_ID_List_SizeW(ctypes.byref(size), None, FILTER_PRESENT):
            return None
        if not 0 < size.value <= MOST_BYTES:
            return None
        buffer = (ctypes.c_uint16 * size.value)()
        if manager.CM_Get_Device_ID_ListW(None, buffer, size.value, FILTER_PRESENT):
            return None
        words = bytes(buffer).decode("utf-16-le", "replace").split("\0")
        # No PC is without devices: an empty list is a system that does not keep one.
        return frozenset(word.upper() for word in words if word) or None

    def control(
        self, device: str, code: int, request: bytes, answer_bytes: int, *, reads: bool = False
    ) -> bytes | None:
        """Return a driver's answer to one control code, None when it refuses or is not there."""
        kernel = library("kernel32")
        kernel.CreateFileW.restype = ctypes.c_void_p
        kernel.CreateFileW.argtypes = (
            ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32,
            ctypes.c_uint32, ctypes.c_void_p,
        )  # fmt: skip
        kernel.DeviceIoControl.argtypes = (
            ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p,
            ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        kernel.CloseHandle.argtypes = (ctypes.c_void_p,)
        access = GENERIC_READ if reads else 0
        handle = kernel.CreateFileW(device, access, SHARE_READ_WRITE, None, OPEN_EXISTING, 0, None)
        if handle in (None, INVALID_HANDLE):
            return None
        try:
            given = ctypes.create_string_buffer(request, len(request)) if request else None
            answer = ctypes.create_string_buffer(answer_bytes)
            size = ctypes.c_uint32(0)
            done = kernel.DeviceIoControl(
                handle, code, given, len(request), answer, answer_bytes, ctypes.byref(size), None
            )
            return answer.raw[: size.value] if done else None
        finally:
            kernel.CloseHandle(handle)

    def label(self, mount_point: str) -> str | None:
        """Return a volume's label."""
        buffer = ctypes.create_unicode_buffer(LABEL_CHARACTERS)
        ask = library("kernel32").GetVolumeInformationW
        done = ask(
            ctypes.c_wchar_p(mount_point), buffer, LABEL_CHARACTERS, None, None, None, None, 0
        )
        return buffer.value.strip() or None if done else None

    def probe(self, name: str, *words: str) -> object:
        """Return what a guarded probe found, in a child that is killed at its deadline; else None."""
        # The child of the sensors alone needs it.
        import subprocess

        try:
            done = subprocess.run(  # noqa: S603 - this very program
                own_command("probe", name, *words),
                capture_output=True,
                timeout=PROBE_SECONDS,
                check=False,
            )
            found: object = json.loads(done.stdout.decode("utf-8", "replace"))
        except (OSError, ValueError, subprocess.SubprocessError) as err:
            warn("probe lost", probe=name, reason=type(err).__name__)
            return None
        return found
