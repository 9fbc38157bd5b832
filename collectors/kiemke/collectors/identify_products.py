"""Models by sysObjectID: what the makers' product MIBs number, one table per enterprise.

``families/products/NUMBER.tsv`` holds, for 1.3.6.1.4.1.NUMBER, lines of what stands below it, a tab and the
model. A table is read when a device of that maker is first met: most sites know a handful of makers.
"""

from functools import cache
from importlib import resources

from kiemke.collectors.identify_facts import ENTERPRISES
from kiemke.collectors.snmp.reader import Oid, parse_oid

FOLDER = "products"


def product_of(object_id: Oid) -> str:
    """Return the model that a maker's product MIB gives this sysObjectID, "" when none does."""
    if object_id[:6] != ENTERPRISES or len(object_id) < 8:
        return ""
    return products(object_id[6]).get(object_id[7:], "")


@cache
def products(enterprise: int) -> dict[Oid, str]:
    """Return one maker's models by what stands below its number; {} for a maker without a table."""
    folder = resources.files("kiemke.collectors.families").joinpath(FOLDER)
    try:
        text = folder.joinpath(f"{enterprise}.tsv").read_text("utf-8")
    except FileNotFoundError:
        return {}
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {parse_oid(below): model for below, model in rows}
