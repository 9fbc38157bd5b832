"""Makers and models by sysObjectID: what IANA and the makers' product MIBs number.

``families/enterprises.tsv`` holds a maker by its enterprise number.
``families/products/NUMBER.tsv`` holds, for 1.3.6.1.4.1.NUMBER, lines of what stands below it, a tab and the
model. A table is read when a device of that maker is first met: most sites know a handful of makers.
"""

from functools import cache
from importlib import resources

from kiemke.collectors.identify_facts import ENTERPRISES
from kiemke.collectors.snmp.reader import Oid, parse_oid


def product_of(object_id: Oid) -> str:
    """Return the model that a maker's product MIB gives this sysObjectID, "" when none does."""
    if object_id[:6] != ENTERPRISES or len(object_id) < 8:
        return ""
    return products(object_id[6]).get(object_id[7:], "")


def maker_of(object_id: Oid) -> str | None:
    """Return the maker whose enterprise number a sysObjectID has, None for one not in the table."""
    if object_id[:6] != ENTERPRISES or len(object_id) < 7:
        return None
    return makers().get((object_id[6],))


@cache
def makers() -> dict[Oid, str]:
    """Return the makers by enterprise number."""
    return _read_table("enterprises.tsv")


@cache
def products(enterprise: int) -> dict[Oid, str]:
    """Return one maker's models by what stands below its number; {} for a maker without a table."""
    try:
        return _read_table(f"products/{enterprise}.tsv")
    except FileNotFoundError:
        return {}


def _read_table(name: str) -> dict[Oid, str]:
    text = resources.files("kiemke.collectors.families").joinpath(name).read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {parse_oid(below): told for below, told in rows}
