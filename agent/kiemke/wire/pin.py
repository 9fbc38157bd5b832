"""TLS to a server known by its root certificate alone, whatever its address and whatever our clock.

The server's leaf always bears the one name SERVER_NAME, so it may move to another address. The clock
is not consulted: a PC without a battery says 2009, and the root is pinned by its hash, so an expired
leaf is replaced by replacing the root.
"""

import re
import ssl
from dataclasses import dataclass

SERVER_NAME = "server.kiemke.internal"
DEFAULT_PORT = 8443
MOST_PORT = 65535
# Not urllib: with the modules it brings along it would be a quarter of a megabyte on every office PC.
URL = re.compile(
    r"https://(?:\[([0-9a-f:.]+(?:%\w+)?)\]|([^\s/?#@\[\]:\\]+))(?::(\d{0,5}))?/?", re.IGNORECASE
)
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, openssl/x509_vfy.h


class PinError(Exception):
    """A certificate is not the one that was pinned, or no certificate at all."""


@dataclass(frozen=True, slots=True)
class Pins:
    """The root certificates we believe, PEM: the one in use and the one that will follow it."""

    current: str
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """Return it as a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"


def parse_address(url: str) -> Address:
    """Return the address of an https URL; the port is 8443 when it names none.

    Raises ValueError when it is no such URL.
    """
    found = URL.fullmatch(url)
    port = int(found[3] or DEFAULT_PORT) if found else 0
    if found is None or not 0 < port <= MOST_PORT:
        raise ValueError(f"{url!r} is not an address like https://10.0.0.1:{DEFAULT_PORT}")
    return Address((found[1] or found[2]).lower(), port)


def der_sha256(pem: str) -> str:
    """Return the hash by which a root is known: hex SHA-256 of its DER. Raises PinError."""
    import hashlib  # only enrolment needs it, the running agent does not

    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    except ValueError as err:
        raise PinError(f"not a certificate in PEM form: {err}") from err


def pinned_context(pins: Pins) -> ssl.SSLContext:
    """Return a context that believes the pinned roots and nobody else. Raises PinError."""
    try:
        context = ssl.create_default_context(cadata=pins.current + "\n" + (pins.next or ""))
    except (ssl.SSLError, ValueError) as err:
        raise PinError(f"the pinned root is not a certificate: {err}") from err
    context.verify_flags = ssl.VerifyFlags(int(context.verify_flags) | NO_CHECK_TIME)
    return context


def unverified_context() -> ssl.SSLContext:
    """Return a context that believes anybody: only to fetch a root whose hash is then compared."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
