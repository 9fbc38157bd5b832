"""What the repository holds: its tracked files, and its Python files as syntax trees."""

import ast
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("agent", "server", "collectors", "cli")


@functools.cache
def tracked_files() -> tuple[Path, ...]:
    """Return the files git keeps and that still exist, relative to the root, sorted."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        timeout=20,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(sorted(Path(name) for name in names if name and (ROOT / name).is_file()))


@functools.cache
def python_files() -> tuple[Path, ...]:
    """Return the tracked Python files, relative to the root."""
    return tuple(path for path in tracked_files() if path.suffix == ".py")


@functools.cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file named relative to the root."""
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def read_text(path: Path) -> str | None:
    """Return a tracked file's text, None when it is not text."""
    try:
        return (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return None


def imported_names(tree: ast.Module) -> set[str]:
    """Return the dotted names a file imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names
