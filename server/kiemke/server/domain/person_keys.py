"""Personal values in the audit log: encrypted with a key of the person, so that a key can be destroyed.

AES-256-GCM (NIST SP 800-38D), 96-bit random nonces, one 256-bit key per official in ``person_key``. A
sealed value is ``{"person": official id, "sealed": base64(nonce + ciphertext + tag)}``; the place it
stands at is bound into it, so that one value cannot be shown as another. Once the key is gone nobody
reads the value again, and the log's bytes, hence its chain, are as they were.
"""

import base64
import binascii
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiemke.server.db import Session

_NONCE_BYTES = 12


async def load_keys(session: Session, official_ids: Iterable[int]) -> dict[int, bytes | None]:
    """Return keys by official: None for one that was destroyed, absent where there never was one."""
    rows = await session.fetch(
        "SELECT official_id, secret FROM person_key WHERE official_id IN :[ids]",
        ids=sorted(set(official_ids)),
    )
    return {
        row["official_id"]: None if row["secret"] is None else bytes.fromhex(row["secret"])
        for row in rows
    }


async def ensure_keys(
    session: Session, official_ids: Iterable[int], now_ms: int
) -> dict[int, bytes | None]:
    """Return keys as ``load_keys`` does, made for those who have none; a destroyed one stays so."""
    wanted = sorted(set(official_ids))
    keys = await load_keys(session, wanted)
    fresh = [
        {"id": id_, "secret": secrets.token_hex(32), "now": now_ms}
        for id_ in wanted
        if id_ not in keys
    ]
    if not fresh:
        return keys
    await session.many(
        "INSERT INTO person_key (official_id, secret, created_at_ms) VALUES (:id, :secret, :now)"
        " ON CONFLICT (official_id) DO NOTHING",
        fresh,
    )
    return await load_keys(session, wanted)


async def destroy_key(session: Session, official_id: int, now_ms: int) -> None:
    """Destroy a person's key for good; one who had none never gets one."""
    await session.execute(
        "INSERT INTO person_key (official_id, secret, created_at_ms, destroyed_at_ms)"
        " VALUES (:id, NULL, :now, :now) ON CONFLICT (official_id)"
        " DO UPDATE SET secret = NULL, destroyed_at_ms = :now",
        id=official_id,
        now=now_ms,
    )


def seal_value(key: bytes | None, person: int, place: str, value: Any) -> Any:
    """Return a value sealed for ``place`` ("name"); None stays None, without a key it is left out."""
    if value is None:
        return None
    if key is None:
        return {"person": person, "sealed": None}
    nonce = secrets.token_bytes(_NONCE_BYTES)
    text = json.dumps(value, ensure_ascii=False).encode("utf-8")
    sealed = nonce + AESGCM(key).encrypt(nonce, text, f"{person} {place}".encode())
    return {"person": person, "sealed": base64.b64encode(sealed).decode("ascii")}


def is_sealed(value: Any) -> bool:
    """Return whether a value of an entry is a sealed one."""
    return isinstance(value, dict) and value.keys() == {"person", "sealed"}


def open_value(keys: Mapping[int, bytes | None], place: str, value: Any) -> Any:
    """Return a sealed value opened, None when its key is destroyed or the value is not its own."""
    key = keys.get(value["person"])
    if key is None or value["sealed"] is None:
        return None
    try:
        sealed = base64.b64decode(value["sealed"], validate=True)
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        text = AESGCM(key).decrypt(nonce, rest, f"{value['person']} {place}".encode())
        return json.loads(text)
    except (InvalidTag, ValueError, binascii.Error):
        return None


def keyed_digest(key: bytes, data: bytes) -> str:
    """Return the HMAC-SHA-256 of data, hex: without the key nobody tries names until one fits."""
    return hmac.new(key, b"kiemke row " + data, "sha256").hexdigest()
