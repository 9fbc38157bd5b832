"""Where Windows keeps the data of programs. Source: SHGetFolderPathW."""

import ctypes
import sys
from pathlib import Path

CSIDL_COMMON_APPDATA = 0x23
CSIDL_PROGRAM_FILES = 0x26
CSIDL_SYSTEM = 0x25
MAX_PATH = 260


def program_data() -> Path:
    """Return C:\\ProgramData, wherever this PC has it. Raises OSError when Windows does not say.

    Not the environment's %ProgramData%: whoever starts the program could point it elsewhere.
    """
    return _folder(CSIDL_COMMON_APPDATA)


def program_files() -> Path:
    """Return C:\\Program Files: whoever is no administrator writes nothing there. Raises OSError."""
    return _folder(CSIDL_PROGRAM_FILES)


def system_program(name: str) -> str:
    """Return the full path of a program of Windows' own: by its bare name the folder one stands in
    is searched too, and it may be anybody's. Raises OSError.
    """
    return str(_folder(CSIDL_SYSTEM) / f"{name}.exe")


def _folder(number: int) -> Path:
    if sys.platform != "win32":
        raise OSError("only Windows has such folders")
    text = ctypes.create_unicode_buffer(MAX_PATH)
    code = ctypes.windll.shell32.SHGetFolderPathW(None, number, None, 0, text)
    if code:
        raise OSError(f"SHGetFolderPathW answered {code:#x}")
    return Path(text.value)
