"""Time-based one-time passwords (RFC 6238 over RFC 4226): HMAC-SHA-1, 30-second steps, six digits."""

import base64
import hmac
import secrets
from urllib.parse import quote

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20  # what RFC 4226 §4 recommends for HMAC-SHA-1
# A phone's clock may be a step off either way (RFC 6238 §5.2).
_DRIFT_STEPS = 1


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of a step: RFC 4226 §5.3, dynamic truncation."""
    mac = hmac.new(secret, step.to_bytes(8, "big"), "sha1").digest()
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def find_step(secret: bytes, code: str, now_ms: int, last_step: int | None) -> int | None:
    """Return the step that a code is of, None when it is of none that is near and not yet used."""
    now = now_ms // 1000 // STEP_SECONDS
    found = None
    for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1):
        right = hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8"))
        if right and (last_step is None or step > last_step):
            found = step
    return found


def new_secret() -> bytes:
    """Return a random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Return a secret as apps take it, base32 without padding."""
    return base64.b32encode(secret).decode("ascii").rstrip("=")


def key_uri(secret: bytes, name: str) -> str:
    """Return the otpauth:// address that authenticator apps read from a QR code."""
    return (
        f"otpauth://totp/kiemke:{quote(name, safe='')}?secret={secret_text(secret)}&issuer=kiemke"
    )


def place_of(user_id: int) -> str:
    """Return what a user's sealed secret is bound to."""
    return f"totp {user_id}"
