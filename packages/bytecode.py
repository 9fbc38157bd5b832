"""Byte code beside the sources: a service may not write into its own folder, and would compile each time."""

import py_compile
import sys
from pathlib import Path


def add(folder: Path, python: str, root: Path | None = None) -> None:
    """Add byte code for a CPython ("3.11.9") below ``folder``, named from ``root`` on.

    Only a CPython of the same minor version writes what the other one reads: else nothing is done.
    """
    if sys.version_info[:2] != tuple(int(part) for part in python.split(".")[:2]):
        return
    for source in folder.rglob("*.py"):
        py_compile.compile(
            str(source),
            dfile=str(source.relative_to(root or folder)),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
