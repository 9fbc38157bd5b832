"""What a device is: vendor, kind, model, version, serial, name, location and ports, by SNMP.

The system group names the candidate product lines (``families/``), most specific first; each fact is
taken from the first source that tells it, the standard MIBs (``families/general.toml``) last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollError
from kiemke.collectors.families import FAMILIES
from kiemke.collectors.identify_clean import clean_fact, decode
from kiemke.collectors.identify_facts import Facts
from kiemke.collectors.identify_guess import guess
from kiemke.collectors.identify_ports import Port, add_named, read_ports
from kiemke.collectors.identify_products import maker_of, product_of
from kiemke.collectors.identify_rules import FACTS, Catalogue, Fact, Line, Source
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.reader import Oid, SnmpReader, parse_oid
from kiemke.collectors.snmp.values import read_text
from kiemke.collectors.trace import Trace, no_trace

SYSTEM = tuple(
    parse_oid(oid)
    for oid in (
        oids.SYS_DESCR,
        oids.SYS_OBJECT_ID,
        oids.SYS_NAME,
        oids.SYS_LOCATION,
        oids.SYS_CONTACT,
        oids.SYS_UPTIME,
        oids.IF_NUMBER,
    )
)
GUESSABLE: tuple[Fact, ...] = ("model", "version", "serial")
# Lines of this rank and below read common words out of sysDescr: less certain than the maker's tree.
WORDS_RANK = -10


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says of itself; a fact it does not tell is None.

    ``guessed`` names the facts that were told from the shape of a text in the maker's own tree, because
    no family knows where they stand: likely, not certain.
    ``families`` names the files that spoke, ``error`` why something is missing, None when the device
    answered everything it was asked.
    """

    vendor: str | None = None
    kind: str | None = None
    model: str | None = None
    version: str | None = None
    serial: str | None = None
    name: str | None = None
    location: str | None = None
    description: str | None = None
    object_id: str | None = None
    interfaces: tuple[Port, ...] = ()
    guessed: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    error: str | None = None


@cache
def catalogue() -> Catalogue:
    """Return the shipped families, read when first needed."""
    return Catalogue(FAMILIES)


@dataclass(frozen=True, slots=True)
class _System:
    """What sources read without asking again."""

    object_id: Oid
    descr: str


async def identify(
    reader: SnmpReader,
    deadline: Deadline,
    *,
    known: Catalogue | None = None,
    with_ports: bool = True,
    trace: Trace = no_trace,
) -> Identity:
    """Return what the device behind ``reader`` is, ``interfaces`` empty unless ``with_ports``.

    Raises PollError when it does not answer at all.
    """
    facts = Facts(reader, deadline)
    await facts.read(SYSTEM)
    if facts.problem is not None:
        raise facts.problem
    known = known or catalogue()
    asked = _System(
        object_id=_as_oid(await facts.get(SYSTEM[1])),
        descr=read_text(await facts.get(SYSTEM[0])) or "",
    )
    lines = await _matching(known.candidates(asked.object_id, asked.descr), facts)
    trace("recognised", {"families": [line.family for line in lines]})
    told: dict[str, str] = {}
    for fact in FACTS:
        value = await _first(fact, [line for line in lines if line.rank > WORDS_RANK], asked, facts)
        if value is not None:
            told[fact] = value
    guessed = await _guess([fact for fact in GUESSABLE if fact not in told], lines, asked, facts)
    guessed = {fact: value for fact, value in guessed.items() if value not in told.values()}
    told |= guessed
    for fact in FACTS:
        if fact not in told:
            value = await _first(fact, lines, asked, facts)
            if value is not None:
                told[fact] = value
    system_name = read_text(await facts.get(SYSTEM[2]))
    system_location = read_text(await facts.get(SYSTEM[3]))
    error = facts.problem.detail if facts.problem else None
    ports: tuple[Port, ...] = ()
    if with_ports:
        ports, port_error = await _read_ports(reader, deadline, lines, facts)
        error = error or port_error
    return Identity(
        vendor=_vendor(lines, asked.object_id),
        kind=_kind(lines, asked.descr),
        model=told.get("model"),
        version=told.get("version"),
        serial=told.get("serial"),
        name=clean_fact(system_name) or told.get("name"),
        location=clean_fact(system_location) or told.get("location"),
        description=clean_fact(asked.descr),
        object_id=".".join(map(str, asked.object_id)) or None,
        interfaces=ports,
        guessed=tuple(guessed),
        families=tuple(dict.fromkeys(line.family for line in lines)),
        error=error,
    )


async def _read_ports(
    reader: SnmpReader, deadline: Deadline, lines: Sequence[Line], facts: Facts
) -> tuple[tuple[Port, ...], str | None]:
    """Return the interfaces and why some are missing, None when all are there."""
    try:
        ports, problem = await read_ports(reader, deadline, await facts.get(SYSTEM[6]))
        return add_named(ports, await _port_names(lines, facts)), problem
    except PollError as err:
        return (), err.detail


async def _guess(
    wanted: Sequence[Fact], lines: Sequence[Line], asked: _System, facts: Facts
) -> dict[str, str]:
    """Return what the beginning of the maker's tree tells of the wanted facts by its looks.

    A line with an empty list of sources knows that its devices do not tell the fact.
    """
    wanted = [fact for fact in wanted if not any(line.sources.get(fact) == () for line in lines)]
    if not wanted:
        return {}
    rows = [
        (oid, text)
        for oid, value in await facts.beginning(asked.object_id)
        if isinstance(value, bytes) and (text := decode(value, "text")) is not None
    ]
    others = [read_text(await facts.get(oid)) or "" for oid in SYSTEM[2:5]]
    found = guess(rows, asked.descr, others)
    return {fact: value for fact in wanted if (value := clean_fact(found.get(fact))) is not None}


async def _port_names(lines: Sequence[Line], facts: Facts) -> dict[int, str]:
    """Return the names by ifIndex of the interfaces that stand outside of IF-MIB."""
    found: dict[int, str] = {}
    for oid in (oid for line in lines for oid in line.port_names):
        for suffix, value in (await facts.column(oid)).items():
            name = clean_fact(read_text(value))
            if name is not None:
                found.setdefault(suffix[-1], name)
    return found


def _as_oid(value: object) -> Oid:
    return value if isinstance(value, tuple) else ()


async def _matching(candidates: Sequence[Line], facts: Facts) -> list[Line]:
    """Return the candidates all of whose ``has`` objects exist; these are asked for together."""
    await facts.read(oid for line in candidates for oid in line.has)
    found = []
    for line in candidates:
        values = [await facts.get(oid) for oid in line.has]
        if all(value not in (None, b"") for value in values):
            found.append(line)
    return found


async def _first(fact: str, lines: Sequence[Line], asked: _System, facts: Facts) -> str | None:
    """Return the fact from the first line that tells it; an empty list of sources ends the search."""
    for line in lines:
        sources = line.sources.get(fact)
        if sources is not None:
            if not sources:
                return None
            await facts.read(oid for source in sources for oid in source.objects(asked.object_id))
            for source in sources:
                value = await _tell(source, line, asked, facts)
                if value is not None:
                    return value
        for pattern in line.read:
            match = pattern.search(asked.descr) if fact in pattern.groupindex else None
            value = clean_fact(match[fact]) if match else None
            if value is not None:
                return value
    return None


async def _tell(source: Source, line: Line, asked: _System, facts: Facts) -> str | None:
    """Return what one source says, None when it says nothing usable."""
    if source.way == "join":
        parts = [await _tell(part, line, asked, facts) for part in source.parts]
        given = [part for part in parts if part is not None]
        if source.format is not None:
            return clean_fact(_fill(source.format, given)) if len(given) == len(parts) else None
        # The first part is the fact, the others only add to it.
        return source.text.join(given) if parts and parts[0] is not None else None
    for text in await _texts(source, line, asked, facts):
        value = _shape(source, text)
        if value is not None:
            return value
    return None


async def _texts(source: Source, line: Line, asked: _System, facts: Facts) -> list[str]:
    """Return the raw texts of a source, best first."""
    match source.way:
        case "text":
            return [source.text]
        case "descr":
            return [asked.descr]
        case "object_id":
            return [".".join(map(str, asked.object_id))]
        case "name":
            return [read_text(await facts.get(SYSTEM[2])) or ""]
        case "product":
            return [_product(line, asked.object_id)]
        case "entity":
            column, _, wanted = source.text.partition(" ")
            values = await facts.entity(column, wanted)
        case _ if source.is_column:
            values = list((await facts.column(source.place(asked.object_id))).values())
        case _:
            value = await facts.get(source.place(asked.object_id))
            values = [] if value is None else [value]
    return [text for value in values if (text := decode(value, source.decoding)) is not None]


def _product(line: Line, object_id: Oid) -> str:
    """Return the product named by the line for the longest prefix of sysObjectID, else by its maker."""
    for size in range(len(object_id), 0, -1):
        if object_id[:size] in line.products:
            return line.products[object_id[:size]]
    return product_of(object_id)


def _shape(source: Source, text: str) -> str | None:
    if source.drop is not None:
        text = source.drop.sub("", text)
    groups: list[str] = [text]
    if source.pattern is not None:
        match = source.pattern.search(text)
        if match is None:
            return None
        groups = [group or "" for group in match.groups()] or [match[0]]
    text = groups[0]
    if source.format is not None:
        text = _fill(source.format, groups)
    if source.mapping:
        text = source.mapping.get(text.strip(), "")
    return clean_fact(text)


def _fill(form: str, groups: Sequence[str]) -> str:
    """Return ``form`` with {0}, {1}, ... replaced."""
    for number, group in enumerate(groups):
        form = form.replace(f"{{{number}}}", group.strip())
    return form


def _vendor(lines: Sequence[Line], object_id: Oid) -> str | None:
    """Return the maker: of the best line that names one, else of the enterprise number."""
    for line in lines:
        if line.vendor is not None:
            return line.vendor
    return maker_of(object_id)


def _kind(lines: Sequence[Line], descr: str) -> str | None:
    for line in lines:
        for pattern, kind in line.kinds:
            if pattern.search(descr):
                return kind
        if line.kind is not None:
            return line.kind
    return None
