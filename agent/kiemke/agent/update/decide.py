"""Whether a release may be installed here: signed by whom is trusted, newer, in time, its turn, intact."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiemke.agent.files import StateError
from kiemke.agent.update.places import Journal
from kiemke.wire.update import ManifestError, Signed, bucket_of, number_of

WORDS = {
    "unsigned": "no key that is trusted here signed it",
    "system": "it is for another system",
    "not_newer": "it is not newer than what is installed, or than what once was",
    "failed_before": "this version was taken back here before; the next one will do",
    "expired": "its time is over",
    "line_down": "it was taken back while the server was not reached, and it is not reached yet",
    "not_staged": "it is not this PC's turn yet",
    "damaged": "the package is not the one that was signed",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known here: the version and system that run, who we are, whom we trust, the time.

    ``percent`` is how many per cent of the sources may have the release, as the server says.
    """

    version: str
    system: str
    source: str
    keys: tuple[bytes, ...]
    percent: int
    now: datetime
    journal: Journal = Journal()


def refusal(signed: Signed, facts: Facts) -> str | None:
    """Return why the release may not be installed, a word of WORDS; None when it may."""
    manifest = signed.manifest
    if not any(signed.is_by(key) for key in facts.keys):
        return "unsigned"
    if manifest.system != facts.system:
        return "system"
    wanted = number_of(manifest.version)
    if manifest.version in facts.journal.failed:
        return "failed_before"
    if wanted <= number_of(facts.version) or wanted < _floor(facts.journal):
        return "not_newer"
    if manifest.expires_at <= _not_before(facts):
        return "expired"
    if bucket_of(facts.source, manifest.version) >= facts.percent:
        return "not_staged"
    return None


def is_intact(package: Path, signed: Signed) -> bool:
    """Tell whether a file is the package that was signed. Raises StateError when it cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with package.open("rb") as file:
            while piece := file.read(1 << 16):
                digest.update(piece)
                size += len(piece)
    except OSError as err:
        raise StateError(f"{package}: {err.strerror or err}") from err
    return size == signed.manifest.size_bytes and digest.hexdigest() == signed.manifest.sha256


def latest(journal: Journal, signed: Signed) -> str:
    """Return the latest moment that a believed signature names, this one's included."""
    try:
        before = datetime.fromisoformat(journal.last_signed_at or "")
        return max(before, signed.manifest.signed_at).isoformat()
    except (ValueError, TypeError):
        return signed.manifest.signed_at.isoformat()


def _floor(journal: Journal) -> tuple[int, int, int]:
    """Return the numbers below which nothing is installed."""
    try:
        return (0, 0, 0) if journal.floor is None else number_of(journal.floor)
    except ManifestError:
        return (0, 0, 0)


def _not_before(facts: Facts) -> datetime:
    """Return the time: a clock that says less than a signature we believed is wrong."""
    if facts.journal.last_signed_at is None:
        return facts.now
    try:
        return max(facts.now, datetime.fromisoformat(facts.journal.last_signed_at))
    except (ValueError, TypeError):
        return facts.now
