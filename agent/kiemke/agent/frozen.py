"""PCs that forget everything at each start (Deep Freeze, kiosks): the same install again, not a new one.

On such a PC the token stays, and the name and secret of the install are made from the token and the
machine's own parts. So each start enrols as the same source, which costs no use of the token, and works after
the token has expired; clones of one image have each a name of their own.
"""

import base64
import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kiemke.agent.evidence import Evidence, told
from kiemke.agent.files import write_json
from kiemke.agent.journal import warn

if TYPE_CHECKING:
    from kiemke.agent.state import AgentIdentity
    from kiemke.wire.enrolment import Token

MARK = "frozen.json"
PARTS = ("uuid", "system", "board", "mac")  # not the disk: it is what is put back


def mark(folder: Path) -> None:
    """Say that this PC forgets; every later start heeds it. Raises StateError."""
    write_json(folder / MARK, {"frozen": True})


def forgets(folder: Path) -> bool:
    """Tell whether this PC was sealed as one that forgets."""
    return (folder / MARK).exists()


def bound(identity: "AgentIdentity", token: "Token", evidence: Evidence) -> "AgentIdentity":
    """Return the identity that this machine has under this token, whenever it is asked for.

    Of a machine whose parts say nothing it is returned as it is: then each start is a new install.
    """
    parts = told({kind: evidence[kind] for kind in PARTS if kind in evidence})
    if not parts:
        warn("frozen", reason="the parts of this machine say nothing: each start is a new install")
        return identity
    key = token.secret.encode()

    def derive(what: str) -> bytes:
        return hmac.digest(key, f"kiemke {what} {token.id} {parts}".encode(), hashlib.sha256)

    secret = base64.urlsafe_b64encode(derive("secret")).decode().rstrip("=")
    return replace(identity, install_id=derive("install")[:16].hex(), secret=secret, sealed=None)
