"""The shipped families: all found, all readable, each fact with its origin; wrong ones are refused."""

import time
from importlib import resources

import pytest

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.families import FAMILIES
from kiemke.collectors.identify_rules import Catalogue, Line, load_family, parse_family

HEAD = 'vendor = "Acme"\nsource = "ACME-MIB"\n'
LINE = HEAD + '[[line]]\nobject_ids = ["1.3.6.1.4.1.99999"]\n'


def lines() -> list[Line]:
    """Return every line of every shipped family."""
    return [line for name in FAMILIES for line in load_family(name).lines]


def test_every_file_of_the_folder_is_a_family_and_the_order_is_the_alphabets() -> None:
    """A vendor's file is known by lying there; the order decides between lines of equal weight."""
    folder = resources.files("kiemke.collectors.families")

    assert list(FAMILIES) == sorted(FAMILIES)
    assert all((folder / f"{name}.toml").is_file() for name in FAMILIES)
    assert {"general", "cisco", "zyxel"} < set(FAMILIES)


def test_only_families_of_shared_software_name_no_maker() -> None:
    """A vendor file without its vendor would recognise a device and not say whose it is."""
    nameless = [
        name for name in FAMILIES if not any(line.vendor for line in load_family(name).lines)
    ]

    assert nameless == ["dcn", "docsis", "general", "unix"]


def test_all_families_are_read_in_well_under_a_second() -> None:
    """They are read once per start of a program, on the collector's small computer."""
    begun = time.process_time()
    Catalogue(FAMILIES)

    assert time.process_time() - begun < 2.0


def test_no_expression_of_a_family_is_slow_on_a_hostile_sysdescr() -> None:
    """sysDescr is a stranger's text; an expression that backtracks would stop the collector."""
    patterns = {line.descr for line in lines()} | {line.not_descr for line in lines()}
    for line in lines():
        patterns |= {*line.read, *(pattern for pattern, _ in line.kinds)}
        patterns |= {source.pattern for sources in line.sources.values() for source in sources}
    hostile = ["A" * 255, "A1-" * 85, "1." * 127, " v1.1" * 51, "(a " * 85, "Version " * 32]
    slow = []
    for pattern in filter(None, patterns):
        begun = time.process_time()
        for text in hostile:
            pattern.search(text)
        if time.process_time() - begun > 0.25:
            slow.append(pattern.pattern)

    assert slow == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("vendor = ", "not valid TOML"),
        ('source = "x"\n', 'no "vendor"'),
        (HEAD, "no [[line]]"),
        (HEAD + '[[line]]\nkind = "switch"\n', "nothing to recognise it by"),
        (LINE + 'modell = "x"\n', 'unknown key "modell"'),
        (LINE + 'kind = "toaster"\n', 'unknown kind "toaster"'),
        (LINE + "descr = '('\n", "not a regular expression"),
        (LINE + 'model = ["1.3.6.1.4.1.9.1.0"]\n', "its MIB and object name"),
        (LINE + 'model = ["1.3.x ACME-MIB a"]\n', "no object identifier"),
        (LINE + 'model = [{ text = "a", entity = "model" }]\n', "exactly one of"),
        (LINE + 'model = [{ oid = "1.3.6.1 ACME-MIB a", colour = "red" }]\n', '"colour"'),
        (LINE + 'model = [{ entity = "colour" }]\n', "entity must be one of"),
        (LINE + 'model = [{ entity = "model", class = "rack" }]\n', "class must be one of"),
        (LINE + "model = [7]\n", 'a source is "OID MIB object"'),
        (LINE + "read = ['(?P<colour>.)']\n", "named groups"),
        (LINE + 'serial = [{ oid = "1.3.6.1 A-MIB a", as = "octal" }]\n', '"as" must be one of'),
    ],
)
def test_a_wrong_family_is_refused_with_file_place_and_remedy(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_family("acme", text)

    assert "families/acme.toml" in str(caught.value)
    assert told in str(caught.value)


def test_a_family_without_a_file_is_told_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="name one that is"):
        load_family("nobody")
