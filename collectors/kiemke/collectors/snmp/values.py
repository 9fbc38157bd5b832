"""From raw SNMP values to plain ones: text, counters, hundredths of seconds, addresses."""

from kiemke.collectors.snmp.reader import Value, format_oid

COUNTER64_MAX = 2**64 - 1


def read_text(value: Value | None) -> str | None:
    """Return the text of an octet string, None when absent or empty.

    UTF-8 first; bytes that are not UTF-8 are read as Latin-1, so that nothing is lost or invented.
    """
    if not isinstance(value, bytes):
        return None
    value = value.rstrip(b"\0")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.strip() or None


def read_number(value: Value | None) -> int | None:
    """Return an integer, None when absent or of another type."""
    return value if isinstance(value, int) else None


def read_counter(value: Value | None) -> int | None:
    """Return a counter, None when absent or outside of 0 to 2**64-1 (broken agents send negatives)."""
    if isinstance(value, int) and 0 <= value <= COUNTER64_MAX:
        return value
    return None


def read_ticks_seconds(value: Value | None) -> float | None:
    """Return TimeTicks (1/100 s) in seconds, None when absent."""
    if isinstance(value, int) and value >= 0:
        return value / 100
    return None


def read_oid(value: Value | None) -> str | None:
    """Return an object identifier as dotted text, None when absent."""
    return format_oid(value) if isinstance(value, tuple) and value else None


def read_mac(value: Value | None) -> str | None:
    """Return a 6-byte address as "0c:5f:4c:5a:00:00", None when absent, of another length or zero."""
    if not isinstance(value, bytes):
        return None
    if len(value) != 6:
        # Some agents send the address as text, "0:c:29:1a:2b:3c".
        parts = value.decode("latin-1").strip().replace("-", ":").split(":")
        try:
            value = bytes(int(part, 16) for part in parts)
        except ValueError:
            return None
    if len(value) != 6 or not any(value):
        return None
    return value.hex(":")
