"""Vendor families: TOML files that say how gear is recognised and where its facts stand.

A family file has ``vendor`` and ``source`` and one or more ``[[line]]`` tables, one per product line. A
line is recognised by ``object_ids`` (prefixes of sysObjectID), ``descr`` (a regular expression over
sysDescr) and ``has`` (objects that must exist); all that are given must hold. ``model``, ``version``,
``serial``, ``name`` and ``location`` list sources in order of trust. docs/families.md is the manual.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_args

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.snmp.reader import Oid, parse_oid

Fact = Literal["model", "version", "serial", "name", "location"]
FACTS: tuple[Fact, ...] = get_args(Fact)
KINDS = (
    "access_point", "appliance", "camera", "computer", "copier", "gateway", "load_balancer", "modem",
    "nas", "ont", "pdu", "phone", "power", "printer", "radio_link", "recorder", "router", "scanner",
    "sensor", "server", "storage", "switch", "firewall", "transmission", "ups", "video",
    "wireless_controller", "clock",
)  # fmt: skip
ENTITY_COLUMNS = {
    "descr": 2, "name": 7, "hardware": 8, "firmware": 9, "software": 10, "serial": 11, "maker": 12,
    "model": 13, "alias": 14,
}  # fmt: skip
ENTITY_CLASSES = {"chassis": 3, "container": 5, "module": 9, "stack": 11, "cpu": 12}  # RFC 6933
DECODINGS = ("text", "mac", "hex", "number", "product")
WAYS = ("oid", "descr", "object_id", "name", "entity", "product", "join", "text")
SOURCE_KEYS = {*WAYS, "pattern", "format", "drop", "map", "as", "class", "with"}
LINE_KEYS = {
    "about", "object_ids", "descr", "not_descr", "has", "rank", "vendor", "kind", "kinds", "read",
    "products", "port_names", *FACTS,
}  # fmt: skip
FAMILY_KEYS = {"vendor", "source", "line"}


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a fact may stand, and what to make of what stands there.

    ``way`` is one of WAYS. ``oid`` is the object for way "oid" (a column when ``is_column``; below
    the first ``own_parts`` numbers of the device's own sysObjectID, when that is not 0), ``text``
    the constant for "text" or the entity field for "entity", ``parts`` the sources for "join".
    ``pattern`` must match or the source tells nothing; its groups, or the whole match, fill
    ``format`` ({0}, {1}, ...); ``drop`` is cut out first; ``mapping`` translates the result.
    """

    way: str
    oid: Oid = ()
    is_column: bool = False
    own_parts: int = 0
    text: str = ""
    parts: tuple["Source", ...] = ()
    pattern: re.Pattern[str] | None = None
    drop: re.Pattern[str] | None = None
    format: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    decoding: str = "text"

    def place(self, object_id: Oid) -> Oid:
        """Return the object or column that this source reads on a device with that sysObjectID."""
        return (*object_id[: self.own_parts], *self.oid)

    def objects(self, object_id: Oid) -> set[Oid]:
        """Return the objects (not the columns) that this source reads."""
        found = {self.place(object_id)} if self.oid and not self.is_column else set()
        return found.union(*(part.objects(object_id) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Line:
    """One product line of a vendor. ``sources`` holds only the facts the file names.

    ``read`` are expressions over sysDescr whose named groups are facts; ``products`` names models by
    sysObjectID. ``port_names`` are columns, indexed by ifIndex at last, of interfaces that the device
    keeps out of IF-MIB. ``rank`` breaks ties: lines of a higher rank are asked first, those below 0 last.
    """

    family: str
    vendor: str | None
    kind: str | None
    kinds: tuple[tuple[re.Pattern[str], str], ...]
    object_ids: tuple[Oid, ...]
    descr: re.Pattern[str] | None
    not_descr: re.Pattern[str] | None
    has: tuple[Oid, ...]
    rank: int
    read: tuple[re.Pattern[str], ...]
    products: Mapping[Oid, str]
    port_names: tuple[Oid, ...]
    sources: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True, slots=True)
class Family:
    """One vendor's file."""

    name: str
    lines: tuple[Line, ...]


def load_family(name: str) -> Family:
    """Return the family of that name. Raises ConfigError when it is absent or wrong."""
    file = resources.files("kiemke.collectors.families") / f"{name}.toml"
    return parse_family(name, _read(file, name))


def _read(file: Traversable, name: str) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError as err:
        raise ConfigError(f"families/{name}.toml: not there; write it or name one that is") from err


def parse_family(name: str, text: str) -> Family:
    """Return a family from its TOML. Raises ConfigError: which file, which line, what to do."""
    where = f"families/{name}.toml"
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{where}: not valid TOML: {err}; correct that line") from err
    _refuse_unknown(where, table, FAMILY_KEYS)
    for key in ("vendor", "source"):
        if not isinstance(table.get(key), str) or not (table[key] or key == "vendor"):
            raise ConfigError(f'{where}: no "{key}"; say it as text in quotes')
    lines = table.get("line")
    if not isinstance(lines, list) or not lines:
        raise ConfigError(f"{where}: no [[line]]; add one per product line")
    return Family(
        name=name,
        lines=tuple(
            _parse_line(name, f"{where}: line {number}", table["vendor"], line)
            for number, line in enumerate(lines, 1)
        ),
    )


def _parse_line(family: str, where: str, vendor: str, line: dict[str, Any]) -> Line:
    _refuse_unknown(where, line, LINE_KEYS)
    kinds = tuple(
        (_regex(where, "kinds", pattern), kind) for pattern, kind in line.get("kinds", {}).items()
    )
    for kind in (*(kind for _, kind in kinds), *([line["kind"]] if "kind" in line else [])):
        if kind not in KINDS:
            raise ConfigError(f'{where}: unknown kind "{kind}"; known: {", ".join(KINDS)}')
    if not line.keys() & {"object_ids", "descr", "has", "rank"}:
        raise ConfigError(
            f'{where}: nothing to recognise it by; give "object_ids", "descr" or "has"'
        )
    given = line.get("vendor", vendor)
    return Line(
        family=family,
        vendor=given or None,
        kind=line.get("kind"),
        kinds=kinds,
        object_ids=tuple(_oid(where, text) for text in line.get("object_ids", ())),
        descr=_regex(where, "descr", line["descr"]) if "descr" in line else None,
        not_descr=_regex(where, "not_descr", line["not_descr"]) if "not_descr" in line else None,
        has=tuple(_named_oid(where, text)[1] for text in line.get("has", ())),
        rank=int(line.get("rank", 0)),
        read=tuple(_facts_regex(where, text) for text in line.get("read", ())),
        products={_oid(where, oid): model for oid, model in line.get("products", {}).items()},
        port_names=tuple(_named_oid(where, text)[1] for text in line.get("port_names", ())),
        sources={
            fact: tuple(_parse_source(f"{where}: {fact}", given) for given in line[fact])
            for fact in FACTS
            if fact in line
        },
    )


def _parse_source(where: str, given: object) -> Source:
    if isinstance(given, str):
        given = {"oid": given}
    if not isinstance(given, dict):
        raise ConfigError(f'{where}: a source is "OID MIB object" or a table of keys; correct it')
    _refuse_unknown(where, given, SOURCE_KEYS)
    ways = [way for way in WAYS if way in given]
    if len(ways) != 1:
        raise ConfigError(f"{where}: a source needs exactly one of {', '.join(WAYS)}")
    if given.get("as", "text") not in DECODINGS:
        raise ConfigError(f'{where}: "as" must be one of {", ".join(DECODINGS)}')
    way, value = ways[0], given[ways[0]]
    own_parts, oid, is_column = _named_oid(where, value) if way == "oid" else (0, (), False)
    pattern = value if way in ("descr", "object_id", "name") else given.get("pattern")
    if way == "entity":
        _check_entity(where, value, given.get("class"))
        value = f"{value} {given.get('class', '')}".strip()
    parts: tuple[Source, ...] = ()
    if way == "join":
        parts = tuple(_parse_source(f"{where}: join", part) for part in value)
        value = given.get("with", " ")
    return Source(
        way=way,
        oid=oid,
        is_column=is_column,
        own_parts=own_parts,
        text=str(value),
        parts=parts,
        pattern=_regex(where, "pattern", pattern) if pattern is not None else None,
        drop=_regex(where, "drop", given["drop"]) if "drop" in given else None,
        format=given.get("format"),
        mapping=given.get("map", {}),
        decoding=given.get("as", "text"),
    )


def _check_entity(where: str, column: object, entity_class: object) -> None:
    if column not in ENTITY_COLUMNS:
        raise ConfigError(f"{where}: entity must be one of {', '.join(ENTITY_COLUMNS)}")
    if entity_class is not None and entity_class not in ENTITY_CLASSES:
        raise ConfigError(f"{where}: class must be one of {', '.join(ENTITY_CLASSES)}")


def _refuse_unknown(where: str, table: Mapping[str, object], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(
                f'{where}: unknown key "{key}"; known: {", ".join(sorted(known))}; correct or remove it'
            )


def _regex(where: str, key: str, text: object) -> re.Pattern[str]:
    if not isinstance(text, str) or not text:
        raise ConfigError(f'{where}: "{key}" must be a regular expression in quotes')
    try:
        return re.compile(text, re.DOTALL)
    except re.error as err:
        raise ConfigError(f'{where}: "{key}" is not a regular expression ({err}): {text}') from err


def _facts_regex(where: str, text: object) -> re.Pattern[str]:
    pattern = _regex(where, "read", text)
    strange = set(pattern.groupindex) - {*FACTS}
    if strange or not pattern.groupindex:
        raise ConfigError(
            f'{where}: "read" needs named groups out of {", ".join(FACTS)}: {pattern.pattern}'
        )
    return pattern


def _oid(where: str, text: object) -> Oid:
    try:
        return parse_oid(str(text))
    except ValueError as err:
        raise ConfigError(
            f'{where}: "{text}" is no object identifier; write dotted numbers'
        ) from err


def _named_oid(where: str, text: object) -> tuple[int, Oid, bool]:
    """Return the identifier of "1.3.6.1.4.1.9.2.0 SOME-MIB object", and whether ".*" makes a column.

    "@10.1.4.0 ..." stands for 1.4.0 below the first 10 numbers of the device's own sysObjectID: some
    makers give every product a copy of the same MIB. The first number returned is that 10, or 0.
    """
    numbers, blank, name = str(text).partition(" ")
    if not blank or not name.strip():
        raise ConfigError(f'{where}: "{text}" must be the number, a space, its MIB and object name')
    is_column = numbers.endswith(".*")
    oid = _oid(where, numbers.removesuffix(".*").removeprefix("@"))
    if numbers.startswith("@"):
        return oid[0], oid[1:], is_column
    return 0, oid, is_column


class Catalogue:
    """All families in a form that finds the lines of one device quickly; each file is read once."""

    def __init__(self, names: tuple[str, ...], load: Callable[[str], Family] = load_family) -> None:
        families = [load(name) for name in names]
        self._by_prefix: dict[Oid, list[Line]] = {}
        self._anywhere: list[Line] = []
        for family in families:
            for line in family.lines:
                for prefix in line.object_ids:
                    self._by_prefix.setdefault(prefix, []).append(line)
                if not line.object_ids:
                    self._anywhere.append(line)

    def candidates(self, object_id: Oid, descr: str) -> list[Line]:
        """Return the lines whose sysObjectID and sysDescr conditions hold, most specific first."""
        found: list[tuple[tuple[int, int, int], Line]] = []
        for size in range(len(object_id), 0, -1):
            for line in self._by_prefix.get(object_id[:size], ()):
                found.append((_order(line, size), line))
        found += [(_order(line, 0), line) for line in self._anywhere]
        found.sort(key=lambda pair: pair[0], reverse=True)
        return [line for _, line in found if _describes(line, descr)]


def _order(line: Line, prefix_size: int) -> tuple[int, int, int]:
    """Return what to sort lines by: rank, then how much they ask for."""
    return line.rank, prefix_size, 2 * bool(line.descr) + bool(line.has)


def _describes(line: Line, descr: str) -> bool:
    if line.descr is not None and line.descr.search(descr) is None:
        return False
    return line.not_descr is None or line.not_descr.search(descr) is None
