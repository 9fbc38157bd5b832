"""A release of the agent as its maker signed it: which program, for which system, until when.

What is signed are the very bytes of the manifest, a JSON object, behind one fixed line, so that a
signature of anything else never fits. The server only carries it: it holds no key that signs.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from kiemke.wire import ed25519

SIGNED_LINE = b"kiemke agent release 1\n"
SYSTEMS = ("debian-amd64", "windows-amd64")
LARGEST_PACKAGE_BYTES = 64 << 20
LARGEST_SIGNED_BYTES = 4096
PART_BYTES = 256 << 10  # what one request carries: resumed there when a line breaks

_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestError(ValueError):
    """What came is no signed manifest; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is signed. ``file`` is a plain name; moments are aware, UTC."""

    version: str
    system: str
    file: str
    size_bytes: int
    sha256: str
    signed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest with its signature. ``text`` is what was signed, to the letter."""

    manifest: Manifest
    text: str
    signature: bytes

    def is_by(self, public_key: bytes) -> bool:
        """Tell whether the holder of ``public_key`` (32 bytes) signed it."""
        return ed25519.is_true(public_key, message_of(self.text), self.signature)

    def encode(self) -> bytes:
        """Return it as the file that is published."""
        said = {"manifest": self.text, "signature": self.signature.hex()}
        return json.dumps(said, indent=1).encode() + b"\n"


def number_of(version: str) -> tuple[int, int, int]:
    """Return a version's three numbers, by which versions are compared. Raises ManifestError."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ManifestError(f"version {version[:40]!r}: three plain numbers, as in 1.4.0")
    return (int(found[1]), int(found[2]), int(found[3]))


def message_of(text: str) -> bytes:
    """Return the bytes that are signed for a manifest's text."""
    return SIGNED_LINE + text.encode()


def bucket_of(source: str, version: str) -> int:
    """Return 0 to 99: a source takes a release once it is given to more than so many per cent.

    It is the same at each asking, and another for each release: nobody is always the first.
    """
    digest = hashlib.sha256(f"{version} {source}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100


def manifest_text(manifest: Manifest) -> str:
    """Return the text to sign."""
    said = {
        "version": manifest.version,
        "system": manifest.system,
        "file": manifest.file,
        "size_bytes": manifest.size_bytes,
        "sha256": manifest.sha256,
        "signed_at": _moment_text(manifest.signed_at),
        "expires_at": _moment_text(manifest.expires_at),
    }
    return json.dumps(said, separators=(",", ":"))


def read_signed(data: bytes) -> Signed:
    """Return what a published file says; whose signature it is remains to be asked.

    Raises ManifestError when it is not one.
    """
    if len(data) > LARGEST_SIGNED_BYTES:
        raise ManifestError(f"more than {LARGEST_SIGNED_BYTES} bytes")
    try:
        said = json.loads(data)
        text, signature = said["manifest"], bytes.fromhex(said["signature"])
        message_of(text)  # a lone surrogate has no bytes that could be signed
        fields = json.loads(text)
        manifest = Manifest(
            version=fields["version"],
            system=fields["system"],
            file=fields["file"],
            size_bytes=fields["size_bytes"],
            sha256=fields["sha256"],
            signed_at=_moment(fields["signed_at"]),
            expires_at=_moment(fields["expires_at"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as err:
        raise ManifestError(f"not a signed manifest ({type(err).__name__}: {err})") from err
    check(manifest)
    return Signed(manifest, text, signature)


def check(manifest: Manifest) -> None:
    """Raise ManifestError when a field holds what it cannot."""
    texts = (manifest.version, manifest.system, manifest.file, manifest.sha256)
    if not all(isinstance(text, str) for text in texts):
        raise ManifestError("a field that must be text is none")
    number_of(manifest.version)
    if manifest.system not in SYSTEMS:
        raise ManifestError(f"system {manifest.system[:40]!r}: one of {', '.join(SYSTEMS)}")
    if _FILE.fullmatch(manifest.file) is None:
        raise ManifestError(f"file {manifest.file[:40]!r}: a plain name without folders")
    if _SHA256.fullmatch(manifest.sha256) is None:
        raise ManifestError("sha256: 64 hex digits")
    size = manifest.size_bytes
    if type(size) is not int or not 1 <= size <= LARGEST_PACKAGE_BYTES:
        raise ManifestError(f"size_bytes: 1 to {LARGEST_PACKAGE_BYTES}")
    if manifest.expires_at <= manifest.signed_at:
        raise ManifestError("expires_at: not after signed_at")


def _moment(text: str) -> datetime:
    """Return an aware moment. Raises ValueError, or OverflowError at the ends of time."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return found.astimezone(UTC)


def _moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
