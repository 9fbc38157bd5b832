"""Where Windows keeps the data of programs. Source: SHGetFolderPathW."""

import ctypes
import sys
from pathlib import Path

CSIDL_COMMON_APPDATA = 0x23
MAX_PATH = 260


def program_data() -> Path:
    """Return C:\\ProgramData, wherever this PC has it. Raises OSError when Windows does not say.

    Not the environment's %ProgramData%: whoever starts the program could point it elsewhere.
    """
    if sys.platform != "win32":
        raise OSError("only Windows has a ProgramData folder")
    text = ctypes.create_unicode_buffer(MAX_PATH)
    code = ctypes.windll.shell32.SHGetFolderPathW(None, CSIDL_COMMON_APPDATA, None, 0, text)
    if code:
        raise OSError(f"SHGetFolderPathW answered {code:#x}")
    return Path(text.value)
