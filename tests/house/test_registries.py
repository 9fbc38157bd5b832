"""A new sensor, resource, metric or format is one file and one line; this finds the forgotten line."""

import ast
import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.tree import ROOT


@dataclass(frozen=True, slots=True)
class Registry:
    """A visible table of a package's files.

    ``package`` holds one file per member, ``table`` is "module:NAME" of the tuple or mapping that
    lists them, ``marks`` are the top-level names by which a file shows that it is such a member
    (other files of the package are helpers); without marks every file is a member whose name has
    the ``ending``.
    """

    package: str
    table: str
    marks: tuple[str, ...] = ()
    ending: str = ""


APPLIERS = "kiemke.server.ingest.appliers"
METRICS = "kiemke.server.metrics.families"
REGISTRIES = (
    Registry("kiemke.agent.sensors", "kiemke.agent.sensors:SENSORS", ("NAME", "read")),
    Registry(APPLIERS, f"{APPLIERS}:APPLIERS", ("apply",)),
    Registry("kiemke.server.resources", "kiemke.server.resources:RESOURCES", ("HANDLERS",)),
    Registry("kiemke.cli.commands", "kiemke.cli.commands:COMMANDS"),
    Registry(METRICS, f"{METRICS}:METRICS", ("FAMILIES", "CHANGED")),
    Registry("kiemke.server.exports", "kiemke.server.exports:FORMATS", ending="_format"),
)


# Tables of objects: "module:NAME" of the table, and the package whose files make such objects.
OBJECT_TABLES = (
    ("kiemke.server.reports:REPORTS", "kiemke.server.reports"),
    ("kiemke.server.imports.templates:TEMPLATES", "kiemke.server.imports"),
)


def defined_names(source: str) -> set[str]:
    """Return the names a module's text defines at its top level."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def member_files(registry: Registry) -> set[str]:
    """Return the names of the package's modules that bear the marks of a member."""
    package = importlib.import_module(registry.package)
    members = set()
    for found in pkgutil.iter_modules(package.__path__):
        spec = found.module_finder.find_spec(found.name, None)
        assert spec is not None and spec.origin is not None
        with open(spec.origin, encoding="utf-8") as file:  # noqa: PTH123 - the finder gives a str
            marked = set(registry.marks) <= defined_names(file.read())
        if marked and found.name.endswith(registry.ending):
            members.add(found.name)
    return members


def listed_files(registry: Registry) -> list[str]:
    """Return the modules the table lists, by their last name: modules, classes or functions."""
    module, _, name = registry.table.partition(":")
    table: Any = getattr(importlib.import_module(module), name)
    entries = table.values() if isinstance(table, dict) else table
    return [module_of(entry).rpartition(".")[2] for entry in entries]


def module_of(entry: Any) -> str:
    """Return the module an entry is, names, or was written in."""
    if isinstance(entry, ModuleType):
        return entry.__name__
    named = getattr(entry, "module", None)
    return named if isinstance(named, str) else str(getattr(entry, "renderer", entry).__module__)


@pytest.mark.parametrize(("table", "package"), OBJECT_TABLES, ids=lambda value: str(value))
def test_every_object_of_a_package_is_listed_in_its_table(table: str, package: str) -> None:
    """A report that is written and not listed can be asked for by nobody."""
    module, _, name = table.partition(":")
    listed: dict[str, Any] = getattr(importlib.import_module(module), name)
    kind = type(next(iter(listed.values())))
    made = {
        id(value): f"{found.name}.{word}"
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__)
        for word, value in vars(importlib.import_module(f"{package}.{found.name}")).items()
        if type(value) is kind
    }

    assert {id(value) for value in listed.values()} <= made.keys()
    assert [where for key, where in made.items() if key not in map(id, listed.values())] == []


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.table)
def test_every_file_is_listed_in_its_table(registry: Registry) -> None:
    members, listed = member_files(registry), set(listed_files(registry))

    assert members, f"no file of {registry.package} bears {registry.marks}"
    assert members - listed == set(), f"add the line to {registry.table}"
    assert listed - members == set(), f"{registry.table} lists what is no file of its package"


def test_every_vendor_file_is_listed_in_its_table() -> None:
    """A vendor that is written and not listed recognises nothing."""
    from kiemke.collectors import families

    written = {path.stem for path in Path(families.__file__).parent.glob("*.toml")}

    listed = {*families.FAMILIES, "general"}  # the standard MIBs, which every device falls back on
    assert written - listed == set(), "add the line to kiemke.collectors.families:FAMILIES"
    assert listed - written == set(), "kiemke.collectors.families:FAMILIES lists what is no file"
    assert len(set(families.FAMILIES)) == len(families.FAMILIES)


def test_every_sensor_section_is_one_the_wire_knows() -> None:
    """A section the server has never heard of would be stored nowhere."""
    from kiemke.agent.sensors import SENSORS
    from kiemke.wire.inventory import SECTIONS

    read = [section for sensor in SENSORS for section in sensor.SECTIONS]

    assert set(read) <= set(SECTIONS)
    assert len(read) == len(set(read)), "two sensors answer for one section"


def test_every_kind_of_report_has_one_body_class_and_one_applier() -> None:
    """A kind without an applier would be acknowledged and stored nowhere."""
    from kiemke.server.ingest.appliers import APPLIERS as appliers
    from kiemke.wire.report import AGENT_KINDS, BODIES, COLLECTOR_KINDS

    assert set(BODIES) == {*AGENT_KINDS, *COLLECTOR_KINDS}
    assert len(set(BODIES.values())) == len(BODIES)
    assert set(appliers) == set(BODIES)


def test_every_script_of_the_distribution_can_be_loaded() -> None:
    """A script is a promise of pyproject.toml; its function must exist."""
    import tomllib

    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]

    for target in scripts.values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function)), target
