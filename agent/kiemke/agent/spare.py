"""What the running agent does without, so that it takes less of the PC's memory."""

import importlib
import sys
import types
from typing import Any


class _Later(types.ModuleType):
    """Stands in for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        """Return the real module's own. Raises AttributeError."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def load_dataclasses() -> None:
    """Load dataclasses without ``inspect``: nearly a megabyte, used only to describe undocumented classes.

    Whoever imports ``inspect`` afterwards gets the real one.
    """
    if "dataclasses" in sys.modules or "inspect" in sys.modules:
        return
    sys.modules["inspect"] = _Later("inspect")
    try:
        importlib.import_module("dataclasses")
    finally:
        if isinstance(sys.modules.get("inspect"), _Later):
            del sys.modules["inspect"]
