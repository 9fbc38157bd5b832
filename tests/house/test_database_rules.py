"""The rules that keep rows: no cascading delete, no AlterField in a migration."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.tree import parse, python_files


def _server_files() -> list[Path]:
    return [path for path in python_files() if path.parts[0] == "server"]


def _find_cascades(tree: ast.Module) -> Iterator[int]:
    """Yield the lines where a foreign key is given, or silently gets, CASCADE."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "CASCADE":
            yield node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = " ".join(node.value.upper().split())
            if id(node) not in docstrings and (words == "CASCADE" or "ON DELETE CASCADE" in words):
                yield node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in (
            "ForeignKeyField",
            "OneToOneField",
        ):
            # Tortoise's own default is CASCADE: it must be said otherwise.
            if "on_delete" not in {keyword.arg for keyword in node.keywords}:
                yield node.lineno


def test_no_delete_cascades() -> None:
    """A ledger row must not vanish because another one did."""
    found = [f"{path}:{line}" for path in _server_files() for line in _find_cascades(parse(path))]

    assert found == []


def test_a_cascade_is_seen_in_each_of_its_forms() -> None:
    """The search itself is tried, or an empty finding would prove nothing."""
    forms = [
        "x = fields.ForeignKeyField('models.Unit')",
        "x = fields.ForeignKeyField('models.Unit', on_delete=OnDelete.CASCADE)",
        "x = 'REFERENCES unit (id) on delete  cascade'",
    ]
    innocent = (
        '"""Says that ON DELETE CASCADE is banned."""\nx = F("a", on_delete=OnDelete.RESTRICT)'
    )

    assert [len(list(_find_cascades(ast.parse(form)))) for form in forms] == [1, 1, 1]
    assert list(_find_cascades(ast.parse(innocent))) == []


def test_no_migration_alters_a_field_in_place() -> None:
    """On SQLite it rebuilds the table: child tables were emptied and indexes dropped."""
    migrations = [path for path in _server_files() if "migrations" in path.parts]
    altering = [
        f"{path}:{node.lineno}"
        for path in migrations
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) == "AlterField"
    ]

    assert altering == []
