"""Reads what identification asks for, each object once: scalars, columns and the ENTITY-MIB.

An object the device lacks is asked for once and remembered as absent. A failed request is kept in
``problem`` and everything read so far stays usable: a half answer is better than none.
"""

from collections.abc import Iterable, Sequence

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import AnswerTooBig, PollError
from kiemke.collectors.identify_rules import ENTITY_CLASSES, ENTITY_COLUMNS
from kiemke.collectors.snmp.reader import Oid, Part, SnmpReader, Value, format_oid, parse_oid

ENTITY_TABLE = "1.3.6.1.2.1.47.1.1.1.1"  # ENTITY-MIB entPhysicalEntry, RFC 6933
ENTITY_CLASS = f"{ENTITY_TABLE}.5"  # entPhysicalClass
MOST_OBJECTS = 20  # in one GET: with texts of 60 bytes the answer still fits an Ethernet frame
MOST_ROWS = 8
MODULE_ROWS = 3
ENTERPRISES = (1, 3, 6, 1, 4, 1)
# Trees that say nothing of the maker: LAN Manager, Windows, UCD-SNMP, Net-SNMP.
SHARED_ENTERPRISES = frozenset({77, 311, 2021, 8072})
MOST_HOPS = 5
BEGINNING_ROWS = 60


class Facts:
    """The objects of one device, read when first asked for."""

    def __init__(self, reader: SnmpReader, deadline: Deadline) -> None:
        self._reader = reader
        self._deadline = deadline
        self._objects: dict[Oid, Value | None] = {}
        self._columns: dict[Oid, dict[Oid, Value]] = {}
        self._entities: list[tuple[int, int]] | None = None
        self.problem: PollError | None = None

    async def read(self, objects: Iterable[Oid]) -> None:
        """Read the objects that were not asked for yet, many in one request."""
        missing = sorted(set(objects) - self._objects.keys())
        for start in range(0, len(missing), MOST_OBJECTS):
            await self._read_some(missing[start : start + MOST_OBJECTS])

    async def _read_some(self, objects: Sequence[Oid]) -> None:
        self._objects.update(dict.fromkeys(objects))
        try:
            got = await self._reader.get([format_oid(oid) for oid in objects], self._deadline)
        except AnswerTooBig as err:
            if len(objects) == 1:
                self.problem = err
                return
            middle = len(objects) // 2
            await self._read_some(objects[:middle])
            await self._read_some(objects[middle:])
            return
        except PollError as err:
            self.problem = err
            return
        for text, value in got.items():
            self._objects[parse_oid(text)] = value

    async def get(self, oid: Oid) -> Value | None:
        """Return one object's value, None when the device has none."""
        await self.read((oid,))
        return self._objects[oid]

    async def column(self, oid: Oid) -> dict[Oid, Value]:
        """Return a column's values by row suffix, in order; {} when the device has none."""
        if oid not in self._columns:
            self._columns[oid] = (await self._walk((oid,)))[oid]
        return self._columns[oid]

    async def beginning(self, object_id: Oid) -> list[tuple[Oid, Value]]:
        """Return the first objects of the maker's own tree; [] when there is none.

        The maker is that of sysObjectID, or, where that names shared software, of the first tree that
        is not shared. At most ``BEGINNING_ROWS`` objects and ``MOST_HOPS`` steps over shared trees.
        """
        maker = object_id[6] if object_id[:6] == ENTERPRISES and len(object_id) > 6 else None
        if maker is None or maker in SHARED_ENTERPRISES:
            maker = await self._first_maker()
        if maker is None:
            return []
        root = (*ENTERPRISES, maker)
        rows = await self._part(root, Part(BEGINNING_ROWS))
        return [((*root, *suffix), value) for suffix, value in rows.items()]

    async def _first_maker(self) -> int | None:
        after: Oid = ()
        for _ in range(MOST_HOPS):
            rows = await self._part(ENTERPRISES, Part(1, after))
            if not rows:
                return None
            maker = next(iter(rows))[0]
            if maker not in SHARED_ENTERPRISES:
                return maker
            after = (maker + 1,)
        return None

    async def _part(self, root: Oid, part: Part) -> dict[Oid, Value]:
        name = format_oid(root)
        try:
            walk = await self._reader.walk((name,), self._deadline, part.most, part)
        except PollError as err:
            self.problem = err
            return {}
        return walk.cells[name]

    async def _walk(self, columns: Sequence[Oid]) -> dict[Oid, dict[Oid, Value]]:
        names = [format_oid(oid) for oid in columns]
        try:
            walk = await self._reader.walk(names, self._deadline, None)
        except PollError as err:
            self.problem = err
            return {oid: {} for oid in columns}
        return {oid: walk.cells[name] for oid, name in zip(columns, names, strict=True)}

    async def entity(self, column: str, wanted_class: str) -> list[Value]:
        """Return one ENTITY-MIB column of the chassis (or of the class asked for), best row first.

        The rows are chosen by one walk of entPhysicalClass: chassis, then the stack, then the first
        modules; a device that tells no classes gives its first rows. A CPU speaks only when asked for.
        """
        if self._entities is None:
            self._entities = await self._choose_entities()
        number = ENTITY_CLASSES.get(wanted_class)
        rows = [
            row
            for row, found in self._entities
            if found == number or (number is None and found != ENTITY_CLASSES["cpu"])
        ]
        table = parse_oid(ENTITY_TABLE)
        await self.read((*table, ENTITY_COLUMNS[column], row) for row in rows)
        values = [self._objects[(*table, ENTITY_COLUMNS[column], row)] for row in rows]
        return [value for value in values if value is not None]

    async def _choose_entities(self) -> list[tuple[int, int]]:
        column = parse_oid(ENTITY_CLASS)
        cells = (await self._walk((column,)))[column]
        rows = [
            (suffix[0], value)
            for suffix, value in cells.items()
            if len(suffix) == 1 and isinstance(value, int)
        ]
        if not rows:
            return await self._first_entities()
        chosen: list[tuple[int, int]] = []
        for name, most in (
            ("chassis", MOST_ROWS),
            ("stack", 1),
            ("module", MODULE_ROWS),
            ("cpu", 1),
        ):
            number = ENTITY_CLASSES[name]
            chosen += [row for row in rows if row[1] == number][:most]
        return chosen or rows[:MODULE_ROWS]

    async def _first_entities(self) -> list[tuple[int, int]]:
        """Return the first rows that have a model, serial or description, as if they were chassis."""
        table = parse_oid(ENTITY_TABLE)
        names = [(*table, ENTITY_COLUMNS[name]) for name in ("model", "serial", "name", "descr")]
        found: dict[int, int] = {}
        for cells in (await self._walk(names)).values():
            for suffix, value in cells.items():
                if len(suffix) == 1 and value:
                    found[suffix[0]] = ENTITY_CLASSES["chassis"]
        return sorted(found.items())[:MOST_ROWS]
