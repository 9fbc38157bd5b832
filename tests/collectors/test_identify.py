"""Identification over objects a test lays out: which line speaks, and what it is believed to say."""

from collections.abc import Sequence

import pytest

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import AnswerTooBig, PollError, PollTimeout
from kiemke.collectors.identify import Identity, catalogue, identify
from kiemke.collectors.identify_rules import Catalogue, parse_family
from kiemke.collectors.snmp.reader import Part, Value, Walk, parse_oid
from tests.support.snmp_recordings import RecordedReader

SYSTEM = "1.3.6.1.2.1.1"
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
VENDOR = "1.3.6.1.4.1.99999"  # above every assigned enterprise number
HEAD = 'vendor = "Acme"\nsource = "ACME-MIB"\n'


def device(
    objects: dict[str, Value], *, descr: str = "", object_id: str = VENDOR
) -> RecordedReader:
    """Return a reader of a device with a system group and these objects."""
    system: dict[str, Value] = {
        f"{SYSTEM}.1.0": descr.encode(),
        f"{SYSTEM}.2.0": parse_oid(object_id),
        f"{SYSTEM}.5.0": b"sw-1",
        f"{SYSTEM}.6.0": "Tầng 2".encode(),
    }
    return RecordedReader({parse_oid(oid): value for oid, value in (system | objects).items()})


async def ask(reader: RecordedReader, *toml: str) -> Identity:
    """Identify with families of this text only; without any, with those that are shipped."""
    families = [parse_family(f"f{number}", HEAD + text) for number, text in enumerate(toml)]
    by_name = {family.name: family for family in families}
    known = Catalogue(tuple(by_name), by_name.__getitem__) if toml else catalogue()
    return await identify(reader, Deadline(30), known=known)


async def test_the_line_with_the_longest_prefix_speaks_first_and_the_others_fill_in() -> None:
    reader = device({f"{VENDOR}.7.1.0": b"M-100", f"{VENDOR}.7.2.0": b"1.2.3"})
    wide = (
        f'[[line]]\nobject_ids = ["{VENDOR}"]\nkind = "switch"\n'
        f'model = [{{ text = "some model" }}]\nversion = ["{VENDOR}.7.2.0 ACME-MIB version"]\n'
    )
    narrow = f'[[line]]\nobject_ids = ["{VENDOR}.5"]\nmodel = ["{VENDOR}.7.1.0 ACME-MIB model"]\n'

    reader.objects[parse_oid(f"{SYSTEM}.2.0")] = parse_oid(f"{VENDOR}.5.1")
    found = await ask(reader, wide, narrow)

    assert (found.model, found.version, found.kind) == ("M-100", "1.2.3", "switch")
    assert found.families == ("f1", "f0")


async def test_a_line_whose_object_is_absent_says_nothing() -> None:
    """Many makers ship plain net-snmp: only their own objects tell them apart."""
    line = f'[[line]]\nobject_ids = ["{VENDOR}"]\nhas = ["{VENDOR}.1.0 ACME-MIB model"]\nkind = "nas"\n'

    without, given = await ask(device({}), line), await ask(device({f"{VENDOR}.1.0": b"x"}), line)

    assert (without.kind, without.vendor) == (None, None)
    assert (given.kind, given.vendor) == ("nas", "Acme")


async def test_an_empty_list_of_sources_ends_the_search() -> None:
    """Where a maker's serial is known to stand nowhere, a module's serial must not pass for it."""
    narrow = f'[[line]]\nobject_ids = ["{VENDOR}"]\nserial = []\n'
    wide = '[[line]]\nrank = -1\nserial = [{ text = "WRONG1" }]\n'

    found = await ask(device({}), narrow, wide)

    assert found.serial is None


async def test_words_that_say_nothing_are_passed_over() -> None:
    objects: dict[str, Value] = {
        f"{VENDOR}.1.0": b"To be filled by O.E.M.",
        f"{VENDOR}.2.0": b"N/A\0\0\0",
        f"{VENDOR}.3.0": "S\u202eN-7\n".encode(),
    }
    sources = ", ".join(f'"{VENDOR}.{number}.0 ACME-MIB serial"' for number in (9, 1, 2, 3))

    found = await ask(
        device(objects), f'[[line]]\nobject_ids = ["{VENDOR}"]\nserial = [{sources}]\n'
    )

    assert found.serial == "SN-7"


async def test_groups_fill_a_format_and_a_map_translates() -> None:
    line = (
        f'[[line]]\nobject_ids = ["{VENDOR}"]\n'
        "model = [{ descr = 'Model (\\w+) HW (\\w+)', format = \"{0} Rev. {1}\" }]\n"
        f'version = [{{ oid = "{VENDOR}.1.0 ACME-MIB build", map = {{ 7601 = "SP1" }} }}]\n'
    )

    found = await ask(device({f"{VENDOR}.1.0": 7601}, descr="Acme Model X7 HW B2"), line)

    assert (found.model, found.version) == ("X7 Rev. B2", "SP1")


async def test_a_joined_fact_needs_its_first_part_only() -> None:
    parts = f'"{VENDOR}.1.0 ACME-MIB model", "{VENDOR}.2.0 ACME-MIB revision"'
    line = f'[[line]]\nobject_ids = ["{VENDOR}"]\nmodel = [{{ join = [{parts}], with = "/" }}]\n'

    both = await ask(device({f"{VENDOR}.1.0": b"M1", f"{VENDOR}.2.0": b"R2"}), line)
    first = await ask(device({f"{VENDOR}.1.0": b"M1"}), line)
    second = await ask(device({f"{VENDOR}.2.0": b"R2"}), line)

    assert (both.model, first.model, second.model) == ("M1/R2", "M1", None)


async def test_an_object_below_the_products_own_identifier_is_found() -> None:
    """Moxa, Zyxel and Edgecore give each product a copy of one MIB below its sysObjectID."""
    own = "1.3.6.1.4.1.99999.10.43"
    line = (
        f'[[line]]\nobject_ids = ["{VENDOR}"]\n'
        'serial = ["@8.1.78.0 ACME-MIB serial"]\nversion = ["@8.1.6.* ACME-MIB version"]\n'
    )
    objects: dict[str, Value] = {
        "1.3.6.1.4.1.99999.10.1.78.0": b"S-1",
        "1.3.6.1.4.1.99999.10.1.6.1001": b"",
        "1.3.6.1.4.1.99999.10.1.6.1002": b"4.2",
    }

    found = await ask(device(objects, object_id=own), line)

    assert (found.serial, found.version) == ("S-1", "4.2")


async def test_the_chassis_speaks_for_a_device_not_the_module_before_it() -> None:
    """Row order in ENTITY-MIB is the maker's whim; entPhysicalClass is not."""
    rows: dict[str, Value] = {
        f"{ENTITY}.5.1": 9,
        f"{ENTITY}.13.1": b"LINE-CARD",
        f"{ENTITY}.11.1": b"CARD1",
        f"{ENTITY}.5.40": 3,
        f"{ENTITY}.13.40": b"CHASSIS-9000",
        f"{ENTITY}.11.40": b"CHAS1",
        f"{ENTITY}.10.1": b"7.0.1",
    }

    found = await ask(device(rows))

    assert (found.model, found.serial, found.version) == ("CHASSIS-9000", "CHAS1", "7.0.1")


async def test_unknown_gear_gives_what_the_standard_mibs_give() -> None:
    printer: dict[str, Value] = {
        "1.3.6.1.2.1.43.5.1.1.1.1": 3,
        "1.3.6.1.2.1.43.5.1.1.17.1": b"PRN-0042",
        "1.3.6.1.2.1.25.3.2.1.3.1": b"Nova LP-22; firmware 3",
        "1.3.6.1.2.1.2.2.1.2.1": b"eth0",
        "1.3.6.1.2.1.2.2.1.5.1": 100_000_000,
        "1.3.6.1.2.1.2.2.1.8.1": 1,
        "1.3.6.1.2.1.2.2.1.4.1": 1500,
    }

    found = await ask(device(printer))

    assert (found.kind, found.model, found.serial) == ("printer", "Nova LP-22", "PRN-0042")
    assert (found.name, found.location, found.vendor) == ("sw-1", "Tầng 2", None)
    (port,) = found.interfaces
    assert (port.index, port.name, port.mtu) == (1, "eth0", 1500)
    assert (port.speed_bits_per_second, port.oper_status) == (100_000_000, "up")


async def test_a_maker_without_a_family_is_named_by_its_enterprise_number() -> None:
    found = await ask(device({}, object_id="1.3.6.1.4.1.63.999"))

    assert found.vendor == "Apple"


@pytest.mark.parametrize(
    ("object_id", "descr", "expected"),
    [
        (
            "1.3.6.1.4.1.7367",
            "DrayTek Corporation, Router Model: Vigor2927, Version: 4.4.2_BETA, Build",
            ("DrayTek", "router", "Vigor2927", "4.4.2_BETA"),
        ),
        (
            "1.3.6.1.4.1.14988.1",
            "RouterOS CRS326-24G-2S+",
            ("MikroTik", "switch", "CRS326-24G-2S+", None),
        ),
        (
            "1.3.6.1.4.1.11.2.3.7.11.181",
            "Aruba JL256A 2930F-48G-PoE+-4SFP+ Switch, revision WC.16.10.0009, ROM WC.16.01",
            ("HPE", "switch", "JL256A 2930F-48G-PoE+-4SFP+ Switch", "WC.16.10.0009"),
        ),
        (
            "1.3.6.1.4.1.641.2.71106",
            "Lexmark MS610dn version NR.APS.F628 kernel 3.0.0 All-N-1",
            ("Lexmark", "printer", "MS610dn", "NR.APS.F628"),
        ),
        (
            "1.3.6.1.4.1.311.1.1.3.1.2",
            "Hardware: Intel64 Family 6 Model 85 - Software: Windows Version 6.3 "
            "(Build 20348 Multiprocessor Free)",
            ("Microsoft", "server", "Intel x64", "Server 2022 21H2 (NT 10.0)"),
        ),
    ],
)
async def test_what_a_sysdescr_alone_tells(
    object_id: str, descr: str, expected: tuple[str | None, ...]
) -> None:
    """Office gear whose SNMP view holds the system group only; texts in the makers' own forms."""
    found = await ask(device({}, object_id=object_id, descr=descr))

    assert (found.vendor, found.kind, found.model, found.version) == expected


async def test_interfaces_kept_out_of_if_mib_are_added_and_those_in_it_stay() -> None:
    """Routed interfaces of TiMOS stand in a table of the maker; IF-MIB is believed where it speaks."""
    line = f'[[line]]\nobject_ids = ["{VENDOR}"]\nport_names = ["{VENDOR}.4.* ACME-MIB ifName"]\n'
    objects: dict[str, Value] = {
        "1.3.6.1.2.1.2.2.1.2.7": b"port 7",
        f"{VENDOR}.4.1.7": b"other name",
        f"{VENDOR}.4.4095.3": b"management",
    }

    found = await ask(device(objects), line)

    assert [(port.index, port.name) for port in found.interfaces] == [
        (3, "management"),
        (7, "port 7"),
    ]


class FailingReader(RecordedReader):
    """Answers the system group, then fails in the way it is told to."""

    failure: type[PollError] = PollTimeout
    most = 10_000

    async def get(self, oids: Sequence[str], deadline: Deadline) -> dict[str, Value]:
        is_system = self.most == 0 and oids[0].startswith(f"{SYSTEM}.")
        if len(oids) > self.most and not is_system:
            raise self.failure("device", "no more")
        return await super().get(oids, deadline)

    async def walk(
        self,
        columns: Sequence[str],
        deadline: Deadline,
        rows_hint: int | None,
        part: Part | None = None,
    ) -> Walk:
        if self.most == 0:
            raise self.failure("device", "no more")
        return await super().walk(columns, deadline, rows_hint, part)


async def test_a_device_that_falls_silent_gives_what_it_said_and_an_error() -> None:
    base = device({}, object_id="1.3.6.1.4.1.14988.1", descr="RouterOS RB5009UG+S+")
    reader = FailingReader(base.objects)
    reader.most = 0

    found = await ask(reader)

    assert (found.vendor, found.model, found.error) == ("MikroTik", "RB5009UG+S+", "no more")


async def test_a_device_with_a_small_buffer_is_asked_for_less_at_a_time() -> None:
    base = device({f"{VENDOR}.{number}.0": b"x%d" % number for number in range(1, 17)})
    reader = FailingReader(base.objects)
    reader.failure, reader.most = AnswerTooBig, 7
    sources = ", ".join(f'"{VENDOR}.{number}.0 ACME-MIB x"' for number in range(16, 0, -1))

    found = await ask(reader, f'[[line]]\nobject_ids = ["{VENDOR}"]\nmodel = [{sources}]\n')

    assert (found.model, found.error) == ("x16", None)
