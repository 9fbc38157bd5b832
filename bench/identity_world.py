"""A made-up fleet of PCs over years, with what breaks identity elsewhere, and the truth of it.

The truth of which PC a machine is, is the case with the sticker; a main board that is replaced does not
make another PC of it. Everything is drawn from one seed.
"""

import random
import uuid
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

FILLERS = (
    "To be filled by O.E.M.",
    "Default string",
    "System Serial Number",
    "O.E.M",
    "0123456789",
)
MAKER_MODELS = (
    "OptiPlex 3020",
    "ProDesk 400 G4",
    "ThinkCentre M720",
    "Vostro 3888",
    "ExpertCenter D5",
)
ASSEMBLED_MODELS = ("H61M-DS2", "H81M-K", "H110M-DS2", "B85M-G", "H310M", "H410M H V3", "B75M-D3V")
FILLER_UUIDS = ("03000200-0400-0500-0006-000700080009", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
STANDARD, HARSH = "standard", "harsh"


@dataclass(frozen=True, slots=True)
class Mix:
    """How often things happen: shares of the fleet, or times a PC and year."""

    assembled: float = 0.35  # locally assembled: no maker's serial
    filler_board: float = 0.35  # of those: board serial and UUID are placeholders
    memory_serials: float = 0.85
    laptops: float = 0.2
    copied_firmware: float = 0.01  # in twos and threes
    copied_batch: float = 0.02  # in one batch
    same_disk_serial: float = 0.02
    dual_boot: float = 0.003
    reimage: float = 0.25
    disk_cloned: float = 0.06
    disk_and_reimage: float = 0.06
    disk_memory_reimage: float = 0.04
    memory: float = 0.05
    adapter: float = 0.02
    board: float = 0.01
    board_reused: float = 0.002
    disk_moved: float = 0.004
    install_copied: float = 0.002
    byte_order: float = 0.02
    sensor_fails: float = 0.03
    replaced: float = 0.1
    docked: float = 3.0


MIXES = {
    STANDARD: Mix(),
    "assembled": Mix(assembled=0.8, filler_board=0.5, memory_serials=0.6),
    "copies": Mix(copied_firmware=0.06, copied_batch=0.1, same_disk_serial=0.15, install_copied=0.02),
    HARSH: Mix(
        assembled=0.6, filler_board=0.5, memory_serials=0.5, copied_firmware=0.05, copied_batch=0.1,
        same_disk_serial=0.1, reimage=0.5, board=0.04, board_reused=0.01, disk_moved=0.02,
        install_copied=0.02, byte_order=0.1, sensor_fails=0.2, docked=8.0, adapter=0.06,
    ),
}  # fmt: skip


@dataclass(slots=True)
class Board:
    """A main board with what its firmware says. ``maker_serial`` is the whole machine's."""

    uuid: str
    serial: str
    mac: str
    maker_serial: str
    model: str


@dataclass(slots=True)
class Pc:
    """A PC as it is now; ``installs`` are the sources on its disk, more than one with dual boot."""

    number: int
    board: Board
    laptop: bool
    disk: str
    memory: tuple[str, ...]
    cards: tuple[str, ...] = ()
    monitor: str = ""
    dock: str | None = None
    alive: bool = True
    swapped_bytes: bool = False
    lacks: frozenset[str] = frozenset()
    installs: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """One inventory: ``source`` on ``pc`` showed these sections at a day; ``is_new`` enrols it."""

    source: int
    pc: int
    day: date
    sections: dict[str, list[dict[str, Any]]]
    is_new: bool
    dual: bool = False


class World:
    """The fleet. ``months`` gives what each month's inventories say, oldest first."""

    def __init__(self, pcs: int, seed: int, mix: Mix) -> None:
        self.chance = random.Random(seed)
        self.mix = mix
        self.pcs: list[Pc] = []
        self.sources = 0
        self.docks = [self._mac() for _ in range(max(3, pcs // 60))]
        self.spare_boards: list[Board] = []
        self._known = 0
        self._shared_disk = [f"AA0000{n:08d}" for n in range(3)]
        self._today = date(2016, 1, 4)
        for _ in range(pcs):
            self._buy()
        self._copy_firmware()

    # --- making things -------------------------------------------------------------------------

    def _hex(self, digits: int) -> str:
        return f"{self.chance.getrandbits(4 * digits):0{digits}X}"

    def _mac(self) -> str:
        text = self.chance.choice(("D4BED9", "F8B156", "3C5282", "1C697A")) + self._hex(6)
        return ":".join(text[n : n + 2] for n in range(0, 12, 2))

    def _board(self, *, assembled: bool) -> Board:
        made = Board(
            str(uuid.UUID(int=self.chance.getrandbits(128), version=4)), f"MB{self._hex(10)}",
            self._mac(), f"S{self._hex(8)}",
            self.chance.choice(ASSEMBLED_MODELS if assembled else MAKER_MODELS),
        )  # fmt: skip
        if assembled:
            made.maker_serial = self.chance.choice(FILLERS)
            if self.chance.random() < self.mix.filler_board:
                made.uuid = self.chance.choice(FILLER_UUIDS)
                made.serial = self.chance.choice(FILLERS)
        return made

    def _disk(self) -> str:
        if self.chance.random() < self.mix.same_disk_serial:
            return self.chance.choice(self._shared_disk)
        return f"WD{self._hex(10)}"

    def _memory(self) -> tuple[str, ...]:
        if self.chance.random() >= self.mix.memory_serials:
            return ("00000000",)
        return tuple(self._hex(8) for _ in range(self.chance.choice((1, 1, 2))))

    def _buy(self) -> Pc:
        laptop = self.chance.random() < self.mix.laptops
        assembled = not laptop and self.chance.random() < self.mix.assembled
        pc = Pc(
            len(self.pcs), self._board(assembled=assembled), laptop, self._disk(), self._memory(),
            monitor=f"CN{self._hex(8)}", cards=(self._mac(),) if laptop else (),
        )  # fmt: skip
        self.pcs.append(pc)
        return pc

    def _copy_firmware(self) -> None:
        """Let some PCs bear another's strings: vendors flash one image on a batch."""
        plain = [pc for pc in self.pcs if not pc.laptop]
        self.chance.shuffle(plain)
        few = int(len(self.pcs) * self.mix.copied_firmware)
        while few > 0 and len(plain) > 3:
            size = self.chance.choice((2, 2, 3))
            self._flash([plain.pop() for _ in range(size)])
            few -= size
        many = int(len(self.pcs) * self.mix.copied_batch)
        while many > 0 and len(plain) > 12:
            size = self.chance.choice((6, 9, 12))
            self._flash([plain.pop() for _ in range(size)])
            many -= size

    def _flash(self, batch: list[Pc]) -> None:
        first = batch[0].board
        for pc in batch[1:]:
            pc.board = replace(
                pc.board, uuid=first.uuid,
                serial=first.serial if self.chance.random() < 0.5 else pc.board.serial,
                maker_serial=first.maker_serial,
            )  # fmt: skip

    # --- what an agent on it says --------------------------------------------------------------

    def _show(self, pc: Pc, source: int, *, is_new: bool, dual: bool = False) -> Shown:
        board = pc.board
        given = board.uuid
        if pc.swapped_bytes:
            given = str(uuid.UUID(bytes_le=uuid.UUID(given).bytes))
        adapters = [{"name": "eth0", "kind": "ethernet", "permanent_mac": board.mac}]
        adapters += [
            {
                "name": f"card{n}",
                "kind": "wireless" if pc.laptop else "ethernet",
                "permanent_mac": m,
            }
            for n, m in enumerate(pc.cards)
        ]
        if pc.dock is not None:
            adapters.append({"name": "dock", "kind": "ethernet", "permanent_mac": pc.dock})
        adapters.append(
            {"name": "wlan9", "kind": "wireless", "permanent_mac": f"DA:{self._mac()[3:]}"}
        )
        sections: dict[str, list[dict[str, Any]]] = {
            "system": [{"serial": board.maker_serial, "uuid": given, "product": "PC"}],
            "board": [{"serial": board.serial, "product": board.model}],
            "chassis": [{"serial": board.maker_serial}],
            "disks": [{"name": "sda", "serial": pc.disk}],
            "adapters": adapters,
            "memory": [{"size_bytes": 2**33, "serial": serial} for serial in pc.memory],
            "monitors": [] if pc.laptop else [{"serial": pc.monitor}],
        }
        kept = {name: rows for name, rows in sections.items() if name not in pc.lacks}
        return Shown(source, pc.number, self._today, kept, is_new, dual)

    def _install(self, pc: Pc, *, dual: bool = False) -> Shown:
        self.sources += 1
        pc.installs = [*pc.installs, self.sources] if dual else [self.sources]
        return self._show(pc, self.sources, is_new=True, dual=dual)

    def _say(self, pc: Pc) -> list[Shown]:
        return [self._show(pc, source, is_new=False) for source in pc.installs]

    # --- time ----------------------------------------------------------------------------------

    def first_month(self) -> list[Shown]:
        """Return the first inventory of every PC; a few run two systems by turns."""
        shown = []
        for pc in self.pcs:
            self._today = date(2016, 1, 4) + timedelta(days=self.chance.randrange(20))
            shown.append(self._install(pc))
            if self.chance.random() < self.mix.dual_boot:
                shown.append(self._install(pc, dual=True))
        return shown

    def month(self, number: int) -> list[Shown]:
        """Return what is shown in a later month; to each PC at most one thing happens."""
        begin = date(2016, 1, 4) + timedelta(days=30 * number)
        self._known = len(self.pcs)
        shown: list[Shown] = []
        touched: set[int] = set()
        for pc in list(self.pcs):
            self._today = begin + timedelta(days=self.chance.randrange(20))
            if pc.alive and pc.number not in touched:
                shown += self._live(pc, touched)
        return shown

    def _live(self, pc: Pc, touched: set[int]) -> list[Shown]:
        """Let one thing happen to a PC, or nothing."""
        mix, draw = self.mix, self.chance.random() * 12
        if pc.lacks:
            pc.lacks = frozenset()
            return self._say(pc)
        for rate, act in (
            (mix.reimage, self._reimage),
            (mix.disk_cloned, self._clone_disk),
            (mix.disk_and_reimage, self._new_disk),
            (mix.disk_memory_reimage, self._revive),
            (mix.memory, self._upgrade),
            (mix.adapter, self._change_adapter),
            (mix.board, self._swap_board),
            (mix.byte_order, self._swap_bytes),
            (mix.sensor_fails, self._fail_sensor),
            (mix.replaced, self._replace),
            (mix.docked if pc.laptop else 0.0, self._dock),
        ):
            if draw < rate:
                return act(pc)
            draw -= rate
        if draw < mix.disk_moved:
            return self._move_disk(pc, touched)
        if draw < mix.disk_moved + mix.install_copied:
            return self._copy_install(pc, touched)
        return []

    def _reimage(self, pc: Pc) -> list[Shown]:
        return [self._install(pc)]

    def _clone_disk(self, pc: Pc) -> list[Shown]:
        pc.disk = self._disk()
        return self._say(pc)

    def _new_disk(self, pc: Pc) -> list[Shown]:
        pc.disk = self._disk()
        return [self._install(pc)]

    def _revive(self, pc: Pc) -> list[Shown]:
        pc.memory = self._memory()
        return self._new_disk(pc)

    def _upgrade(self, pc: Pc) -> list[Shown]:
        added = self._memory()
        pc.memory = (*pc.memory, *added) if self.chance.random() < 0.5 else added
        return self._say(pc)

    def _change_adapter(self, pc: Pc) -> list[Shown]:
        if pc.laptop or self.chance.random() < 0.5:
            pc.cards = (self._mac(),)
        else:  # the built-in one failed and was switched off
            pc.board = replace(pc.board, mac=self._mac())
        return self._say(pc)

    def _swap_board(self, pc: Pc) -> list[Shown]:
        old = pc.board
        assembled = old.maker_serial in FILLERS
        new = self._board(assembled=assembled)
        if self.spare_boards and assembled and self.chance.random() < self.mix.board_reused * 50:
            new = self.spare_boards.pop()
        elif assembled:
            self.spare_boards.append(old)
        else:
            new.model = old.model
        if (
            not assembled and self.chance.random() < 0.8
        ):  # the service writes the maker's serial into the new board
            new.maker_serial = old.maker_serial
            new.uuid = old.uuid if self.chance.random() < 0.5 else new.uuid
        elif not assembled:
            new.maker_serial = self.chance.choice(FILLERS)
        pc.board = new
        return self._say(pc)

    def _swap_bytes(self, pc: Pc) -> list[Shown]:
        pc.swapped_bytes = not pc.swapped_bytes
        return self._say(pc)

    def _fail_sensor(self, pc: Pc) -> list[Shown]:
        pc.lacks = frozenset(self.chance.sample(("system", "board", "disks", "memory"), 2))
        return self._say(pc)

    def _replace(self, pc: Pc) -> list[Shown]:
        pc.alive = False
        new = self._buy()
        new.monitor = pc.monitor
        return [self._install(new)]

    def _dock(self, pc: Pc) -> list[Shown]:
        pc.dock = self.chance.choice(self.docks) if self.chance.random() < 0.8 else None
        return self._say(pc)

    def _other(self, pc: Pc, touched: set[int]) -> Pc | None:
        """Return another living PC to which nothing has happened yet this month."""
        for _ in range(20):
            other = self.chance.choice(self.pcs)
            known = other.number < self._known
            if known and other.alive and other.number > pc.number and len(other.installs) == 1:
                touched.add(other.number)
                return other
        return None

    def _move_disk(self, pc: Pc, touched: set[int]) -> list[Shown]:
        """Put the disk with its install into another PC: one in use, or one never seen before."""
        if len(pc.installs) != 1:
            return []
        source = pc.installs[0]
        if self.chance.random() < 0.3:
            other: Pc | None = self._buy()
            if other is not None and self.chance.random() < 0.5:
                other.monitor = pc.monitor  # at the same desk
        else:
            other = self._other(pc, touched)
        if other is None:
            return []
        other.disk, other.installs = pc.disk, [source]
        shown = [self._show(other, source, is_new=False)]
        pc.disk = self._disk()
        self._today += timedelta(days=3)
        return [*shown, self._install(pc)]

    def _copy_install(self, pc: Pc, touched: set[int]) -> list[Shown]:
        """Copy a disk with the agent's state onto another PC; both speak as one source by turns."""
        other = self._other(pc, touched)
        if other is None or len(pc.installs) != 1:
            return []
        source = pc.installs[0]
        other.disk = self._disk()
        shown = []
        for one in (other, pc, other):
            self._today += timedelta(days=2)
            shown.append(self._show(one, source, is_new=False))
        self._today += timedelta(days=2)
        return [*shown, self._install(pc), self._install(other)]  # both are enrolled anew
