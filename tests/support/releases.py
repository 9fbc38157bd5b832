"""Signed releases as an administrator's PC makes them."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.wire.update import Manifest, Signed, manifest_text, message_of


def public_of(key: Ed25519PrivateKey) -> bytes:
    """Return the key by which its signatures are known."""
    return key.public_key().public_bytes_raw()


def sign(
    key: Ed25519PrivateKey,
    package: bytes,
    version: str = "0.2.0",
    *,
    system: str = "debian-amd64",
    signed_at: datetime | None = None,
    days: int = 30,
) -> Signed:
    """Return the signed manifest of a package."""
    at = signed_at or datetime.now(UTC).replace(microsecond=0)
    manifest = Manifest(
        version=version,
        system=system,
        file=f"kiemke-agent_{version}.pkg",
        size_bytes=len(package),
        sha256=hashlib.sha256(package).hexdigest(),
        signed_at=at,
        expires_at=at + timedelta(days=days),
    )
    text = manifest_text(manifest)
    return Signed(manifest, text, key.sign(message_of(text)))


def as_query(signed: Signed) -> str:
    """Return it as the server takes it beside a package."""
    return base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")
