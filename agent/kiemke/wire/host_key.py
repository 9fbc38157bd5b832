"""SSH host keys as text: "TYPE BASE64", as in known_hosts, and shown as "TYPE SHA256:..."."""

import binascii
import re
from base64 import b64decode, b64encode
from hashlib import sha256

# What travels in one plain text; a longer key (RSA beyond 5,000 bits) stays with the collector.
LONGEST = 900
_KEY = re.compile(r"([a-z0-9@.-]{3,60}) ([A-Za-z0-9+/]{20,}={0,2})")


def fingerprint_of(key: bytes) -> str:
    """Return a public key's fingerprint as ``ssh-keygen -l`` shows it."""
    return "SHA256:" + b64encode(sha256(key).digest()).decode().rstrip("=")


def split_key(text: str) -> tuple[str, bytes]:
    """Return type and bytes of a key. Raises ValueError for what is none."""
    match = _KEY.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise ValueError("not a host key: TYPE BASE64")
    try:
        data = b64decode(match[2], validate=True)
    except binascii.Error as error:
        raise ValueError(f"not a host key: {error}") from error
    name = match[1].encode()
    if data[:4] != len(name).to_bytes(4, "big") or data[4 : 4 + len(name)] != name:
        raise ValueError("not a host key: it says to be of another type")
    return match[1], data


def shown(text: str) -> str:
    """Return a key as people compare it: its type and its fingerprint. Raises ValueError."""
    kind, data = split_key(text)
    return f"{kind} {fingerprint_of(data)}"
