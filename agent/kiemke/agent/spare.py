"""What the running agent does without, so that it takes less of the PC's memory.

Measured on Debian 12: 2.3 MiB of 23. Each stand-in gives way to the real module when something is asked of
it that it does not have.
"""

import importlib
import sys
import types
from collections.abc import Callable

TYPE_CHECKING = False  # not typing's: nothing that has a stand-in may be loaded before it stands
if TYPE_CHECKING:
    from typing import Any

# Pythons whose library these stand-ins were tried with: another one's is loaded as it is.
TRIED = ((3, 11), (3, 14))
# Module -> functions that others name when they are loaded, and never call in the running agent.
# pathlib: fnmatch, ntpath and urllib.parse (with ipaddress); subprocess: locale.
LATER: dict[str, tuple[str, ...]] = {
    "fnmatch": (), "locale": (), "ntpath": (), "urllib.parse": ("quote_from_bytes",),
}  # fmt: skip


class Later(types.ModuleType):
    """Stands in for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> "Any":
        """Return the real module's own. Raises AttributeError."""
        if name.startswith("__"):  # the import system asks every module for __path__
            raise AttributeError(name)
        return getattr(self.real(), name)

    def real(self) -> types.ModuleType:
        """Return the real module, loaded now if it was not."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return importlib.import_module(self.__name__)


class _Any:
    """Stands in for ``typing.Any`` in annotations that nobody reads."""


class _Shape:
    """Stands in for ``typing.Protocol``, ``IO`` and ``BinaryIO``: bases and annotations."""

    def __class_getitem__(cls, _: object) -> type["_Shape"]:
        """Return the class: what is in its brackets is for the type checker."""
        return cls


def load_dataclasses() -> None:
    """Load dataclasses without ``inspect``: nearly a megabyte, used only to describe undocumented classes.

    Whoever imports ``inspect`` afterwards gets the real one.
    """
    if "dataclasses" in sys.modules or "inspect" in sys.modules:
        return
    sys.modules["inspect"] = Later("inspect")
    try:
        importlib.import_module("dataclasses")
    finally:
        if isinstance(sys.modules.get("inspect"), Later):
            del sys.modules["inspect"]


def stand_in() -> None:
    """Put the stand-ins where the real modules are not loaded yet: for the service's process alone."""
    if not TRIED[0] <= sys.version_info[:2] < TRIED[1]:
        load_dataclasses()
        return
    for name, functions in LATER.items():
        if name not in sys.modules:
            sys.modules[name] = _later(name, functions)
    if "typing" not in sys.modules:
        sys.modules["typing"] = _typing()
    if "dataclasses" not in sys.modules:
        sys.modules["dataclasses"] = importlib.import_module("kiemke.agent.lean")


def _later(name: str, functions: tuple[str, ...]) -> Later:
    """Return a stand-in whose ``functions`` load the real module when they are called."""
    module = Later(name)

    def calling(function: str) -> "Callable[..., Any]":
        return lambda *given, **named: getattr(module.real(), function)(*given, **named)

    for function in functions:
        setattr(module, function, calling(function))
    return module


def _typing() -> Later:
    """Return a stand-in for ``typing`` with what the agent's modules name when they are loaded."""
    module = Later("typing")
    shapes = {name: type(name, (_Shape,), {}) for name in ("Protocol", "IO", "BinaryIO")}
    words = {"TYPE_CHECKING": False, "Any": _Any, "cast": lambda _, value: value, **shapes}
    vars(module).update(words)
    return module
