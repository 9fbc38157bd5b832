"""The server's root certificate: fetched once on trust of its fingerprint, then pinned."""

import hashlib
import ssl

SERVER_NAME = "server.kiemke.internal"  # the one name in the server's certificate, at any address
LONGEST_PEM_BYTES = 65_536
_END = "-----END CERTIFICATE-----"
_BEGIN = "-----BEGIN CERTIFICATE-----"


def unverified() -> ssl.SSLContext:
    """Return a context that trusts anybody: only for fetching the root whose hash is then shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def pinned(ca_pem: str) -> ssl.SSLContext:
    """Return a context that trusts this root and no other. Raises ssl.SSLError on a bad PEM."""
    return ssl.create_default_context(cadata=ca_pem)


def first_certificate(pem: str) -> str | None:
    """Return the first certificate of a PEM text, None when it holds none."""
    begin, end = pem.find(_BEGIN), pem.find(_END)
    return pem[begin : end + len(_END)] + "\n" if 0 <= begin < end else None


def fingerprint(ca_pem: str) -> str:
    """Return the SHA-256 of the certificate's DER bytes, lower-case hex. Raises ValueError."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(ca_pem)).hexdigest()


def spaced(hex_digest: str) -> str:
    """Return a fingerprint as kiemke-server prints it: upper-case pairs with colons."""
    pairs = hex_digest.upper()
    return ":".join(pairs[i : i + 2] for i in range(0, len(pairs), 2))


def bare(text: str) -> str:
    """Return a fingerprint as typed (groups, colons, capitals) as plain lower-case hex."""
    return "".join(char for char in text.lower() if char not in " :-\t")
