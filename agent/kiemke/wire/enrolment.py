"""How a new sender becomes known to its server by one pasted token, over two connections.

The token is ``urls.id.secret.ca_sha256``. The first connection believes nobody and only fetches the
root certificate, whose hash must be the token's; the token's secret travels on the second one, which
that root has proved.
"""

import base64
import binascii
import hashlib
import json
import re
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime

from kiemke.wire.http1 import Connection, HttpError
from kiemke.wire.link import Link, Unreachable
from kiemke.wire.pin import (
    Address,
    PinError,
    Pins,
    der_sha256,
    parse_address,
    unverified_context,
)

CA_PATH = "/ca.pem"
ENROLL_PATH = "/api/v1/enroll"
CHECK_PATH = "/api/v1/enroll/check"
KINDS = ("agent", "collector")
MAX_URLS = 3
MAX_PEM_BYTES = 16384
TIMEOUT_SECONDS = 15.0
SECRET_BYTES = 32
INSTALL_ID_BYTES = 16


class EnrolmentError(Exception):
    """Enrolment did not happen; the message says why and what to do."""


class NoAnswerError(EnrolmentError):
    """No server could be asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """How many more a token admits, and until when."""

    uses_left: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """What a pasted token says. ``secret`` never shows in a repr."""

    addresses: tuple[Address, ...]
    id: str
    secret: str
    ca_sha256: str

    def __repr__(self) -> str:
        """Return it without the secret."""
        return f"Token(addresses={self.addresses!r}, id={self.id!r}, secret=***)"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the server made of us: our public id, "pending" or "approved", and its root."""

    source: str
    state: str
    pins: Pins


def new_install_id() -> str:
    """Return a random name for one install, 128 bits in hex."""
    return secrets.token_hex(INSTALL_ID_BYTES)


def new_secret() -> str:
    """Return a sender's own secret, 256 bits in URL-safe base64."""
    return secrets.token_urlsafe(SECRET_BYTES)


def parse_token(text: str) -> Token:
    """Return what a token says. Raises EnrolmentError when it is not one, or not whole."""
    parts = "".join(text.split()).split(".")  # a mail program may have broken the line
    if len(parts) != 4 or not all(parts):
        raise EnrolmentError("this is not a whole token: copy all of it, from first to last letter")
    packed, name, secret, ca_sha256 = parts
    if not re.fullmatch(r"[0-9a-fA-F]{64}", ca_sha256):
        raise EnrolmentError("the token's last part is damaged: copy the token again")
    try:
        urls = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode().split()
        addresses = tuple(parse_address(url) for url in urls)
    except (binascii.Error, ValueError) as err:
        raise EnrolmentError(f"the token's first part is damaged ({err}): copy it again") from err
    if not 1 <= len(addresses) <= MAX_URLS:
        raise EnrolmentError(
            f"the token names {len(addresses)} servers; it must be 1 to {MAX_URLS}"
        )
    return Token(addresses, name, secret, ca_sha256.casefold())


def make_token(urls: tuple[str, ...], name: str, secret: str, ca_sha256: str) -> str:
    """Return the token that says this; the reverse of ``parse_token``."""
    packed = base64.urlsafe_b64encode(" ".join(urls).encode()).decode().rstrip("=")
    return ".".join((packed, name, secret, ca_sha256))


def fetch_root(token: Token) -> str:
    """Return the PEM of the root whose hash the token bears.

    Raises EnrolmentError when no address gives it; a server with another root is named as such.
    """
    reasons = []
    for address in token.addresses:
        connection = Connection(address, unverified_context(), TIMEOUT_SECONDS)
        try:
            reply = connection.request("GET", CA_PATH, None, {}, MAX_PEM_BYTES)
            pem = reply.body.decode("ascii")
            if reply.status != 200:
                reasons.append(f"{address}: answered {reply.status} to {CA_PATH}")
            elif der_sha256(pem) != token.ca_sha256:
                reasons.append(f"{address}: is not the server this token was made for")
            else:
                return pem
        except (OSError, ValueError, PinError, HttpError) as err:
            reasons.append(f"{address}: {err}")
        finally:
            connection.close()
    raise EnrolmentError("; ".join(reasons))


def enrol(token: Token, install_id: str, secret: str, kind: str) -> Enrolled:
    """Make this install known to the token's server.

    Asked again with the same ``install_id`` it gives the same answer, so a lost one costs nothing.
    Raises EnrolmentError.
    """
    if kind not in KINDS:
        raise EnrolmentError(f"kind {kind!r}: must be one of {', '.join(KINDS)}")
    pins = Pins(fetch_root(token))
    request = {
        "token": token.id,
        "token_secret": token.secret,
        "install_id": install_id,
        "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "hostname": socket.gethostname(),
        "kind": kind,
    }
    link = Link(token.addresses, pins, TIMEOUT_SECONDS)
    try:
        reply = link.request(
            "POST",
            ENROLL_PATH,
            json.dumps(request).encode(),
            {"Content-Type": "application/json"},
        )
    except Unreachable as err:
        raise EnrolmentError(str(err)) from err
    finally:
        link.close()
    if reply.status not in (200, 201):
        raise EnrolmentError(_refusal(reply.status, reply.body))
    try:
        said = json.loads(reply.body)
        return Enrolled(str(said["source"]), str(said["state"]), pins)
    except (ValueError, KeyError, TypeError) as err:
        raise EnrolmentError(f"the server's answer is not understood: {err}") from err


def check_token(token: Token, kind: str) -> Lasting:
    """Return how long a token lasts; nothing is enrolled and no use of it taken.

    Raises NoAnswerError when no server can be asked, EnrolmentError when it refuses the token.
    """
    try:
        pins = Pins(fetch_root(token))
    except EnrolmentError as err:
        raise NoAnswerError(str(err)) from err
    link = Link(token.addresses, pins, TIMEOUT_SECONDS)
    request = {"token": token.id, "token_secret": token.secret, "kind": kind}
    try:
        reply = link.request(
            "POST", CHECK_PATH, json.dumps(request).encode(), {"Content-Type": "application/json"}
        )
    except Unreachable as err:
        raise NoAnswerError(str(err)) from err
    finally:
        link.close()
    if reply.status in (404, 405):
        raise NoAnswerError("the server is older than this agent")
    if reply.status != 200:
        raise EnrolmentError(_refusal(reply.status, reply.body))
    try:
        said = json.loads(reply.body)
        return Lasting(int(said["uses_left"]), datetime.fromisoformat(said["expires_at"]))
    except (ValueError, KeyError, TypeError) as err:
        raise NoAnswerError(f"the server's answer is not understood: {err}") from err


def _refusal(status: int, body: bytes) -> str:
    """Return the server's own words for a refusal (RFC 9457), else its status."""
    try:
        said = json.loads(body)
        words = said.get("detail") or said.get("title")
    except (ValueError, AttributeError):
        words = None
    return f"the server refused ({status}): {words or 'it gave no reason'}"
