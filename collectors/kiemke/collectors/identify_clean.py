"""From raw values to facts: text made safe, words that say nothing dropped."""

import re

from kiemke.collectors.identify_products import product_of
from kiemke.collectors.snmp.reader import Value, format_oid
from kiemke.collectors.snmp.values import read_mac, read_text
from kiemke.wire.clean import clean_text

# What makers write where they have nothing to say.
NOTHING = re.compile(
    r"""
    (?: n/?a | none | null | nil | unknown | undefined | unspecified | not [ ] (?:available|applicable|
        specified|set|supported|present|defined|configured|installed) | invalid | empty | default [ ] string
      | to [ ] be [ ] filled [ ] by [ ] o\.?e\.?m\.? | system [ ] (?:serial [ ] number|product [ ] name|version)
      | no[ ]?such[ ]?(?:instance|object) .* | [?.\-_*x ]{1,8} | \#+ | system [ ] mac: .* | "" )
    """,
    re.IGNORECASE | re.VERBOSE,
)
MAX_FACT = 200


def clean_fact(text: str | None) -> str | None:
    """Return a fact fit to be shown, None when it says nothing ("N/A", "Default string", blanks)."""
    if text is None:
        return None
    cleaned = clean_text(text, MAX_FACT).strip(" ,;:\"'\ufffd")
    return None if not cleaned or NOTHING.fullmatch(cleaned) else cleaned


def decode(value: Value, decoding: str) -> str | None:
    """Return a value as text: an octet string read as "text", "mac" or "hex"; numbers in digits.

    An identifier is shown in numbers, or read as "product": the model that a product MIB numbers so.
    """
    if isinstance(value, tuple):
        return product_of(value) or None if decoding == "product" else format_oid(value)
    if isinstance(value, int):
        return str(value)
    if decoding == "mac":
        return read_mac(value)
    if decoding == "hex":
        return value.hex() or None
    if decoding == "number":
        return str(int.from_bytes(value))
    return read_text(value.split(b"\0\0")[0])
