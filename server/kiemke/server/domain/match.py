"""How likely a seen machine is an asset on the book: evidence on both sides, weighed; pure functions.

The weights stand in ``match.toml``. A serial number, a MAC or a firmware asset tag may decide by
itself; a name, an account, a claim or a unit only proposes.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from kiemke.server.domain.text import search_key

MOST_CANDIDATES = 3
# Nothing but a paper is certain.
_MOST, _LEAST = 99, 1
_DECIDES = ("serial", "mac", "tag")


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: its code (see match.toml), what was compared, its points."""

    code: str
    value: str
    points: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An asset a machine may be. ``confidence`` is 1..99; ``level`` is sure, likely or possible."""

    asset_id: int
    confidence: int
    level: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class SeenMachine:
    """What a machine's sources say of it. Keys are sane values only (see ``bogus``).

    ``labels`` are its host names, firmware asset tags and claimed stickers as written, casefolded. What
    was claimed is one person's word at the installation: it proposes and never decides.
    """

    id: int
    labels: frozenset[str]
    hostnames: frozenset[str]
    unit_ids: frozenset[int]
    serials: frozenset[str]
    macs: frozenset[str]
    tags: frozenset[str]
    kind: str | None
    model: str | None
    official_ids: frozenset[int]
    claimed_tags: frozenset[str] = frozenset()
    claimed_official_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class BookedAsset:
    """What the book says of an asset. ``serial`` and ``mac`` are keys, None where it says none."""

    id: int
    code: str
    tag: str | None
    kind: str
    model: str | None
    serial: str | None
    mac: str | None
    unit_ids: frozenset[int]
    official_ids: frozenset[int]


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, int]]:
    text = files("kiemke.server.domain").joinpath("match.toml").read_text("utf-8")
    return tomllib.loads(text)


def label_key(text: str | None) -> str | None:
    """Return a sticker, code or host name as compared: casefolded letters and digits, None for none."""
    key = "".join(c for c in search_key(text or "") if c.isalnum())
    return key or None


def _reasons(machine: SeenMachine, asset: BookedAsset) -> Iterable[tuple[str, str]]:
    if asset.serial is not None and asset.serial in machine.serials:
        yield "serial", asset.serial
    elif asset.serial is not None and machine.serials:
        yield "serial_other", f"{asset.serial} / {min(machine.serials)}"
    if asset.mac is not None and asset.mac in machine.macs:
        yield "mac", asset.mac
    labels = {key: text for text in (asset.code, asset.tag) if (key := label_key(text))}
    tag = next((labels[key] for key in labels if key in machine.tags), None)
    name = next((labels[key] for key in labels if key in machine.hostnames), None)
    if tag is not None:
        yield "tag", tag
    if name is not None:
        yield "hostname", name
    claimed = next((labels[key] for key in labels if key in machine.claimed_tags), None)
    if claimed is not None and tag is None:
        yield "claimed_tag", claimed
    said = asset.official_ids & (machine.claimed_official_ids - machine.official_ids)
    if said:
        yield "claimed_holder", str(min(said))
    if asset.official_ids & machine.official_ids:
        yield "account", str(min(asset.official_ids & machine.official_ids))
    if asset.unit_ids & machine.unit_ids:
        yield "unit", str(min(asset.unit_ids & machine.unit_ids))
    if machine.kind is not None:
        yield ("kind" if machine.kind == asset.kind else "kind_other"), asset.kind
    if machine.model and asset.model and _alike(machine.model, asset.model):
        yield "model", asset.model


def _alike(seen: str, booked: str) -> bool:
    """Whether the words of one description all stand in the other ("Dell OptiPlex 3080")."""
    one, other = set(search_key(seen).split()), set(search_key(booked).split())
    return one <= other or other <= one


def judge(machine: SeenMachine, asset: BookedAsset) -> Candidate | None:
    """Return an asset as a candidate with its reasons; None when nothing but its kind speaks for it."""
    weights = _table()["weights"]
    reasons = tuple(Reason(code, value, weights[code]) for code, value in _reasons(machine, asset))
    speaks = any(r.points > 0 and r.code not in ("kind", "model") for r in reasons)
    points = sum(reason.points for reason in reasons)
    if not speaks or points <= 0:
        return None
    confidence = max(_LEAST, min(_MOST, points))
    return Candidate(asset.id, confidence, _level(confidence), reasons)


def _level(confidence: int) -> str:
    for level in ("sure", "likely"):
        if confidence >= int(_table()[level]):  # type: ignore[call-overload]  # plain numbers
            return level
    return "possible"


def best(machine: SeenMachine, assets: Iterable[BookedAsset]) -> list[Candidate]:
    """Return the best candidates, likeliest first; of equals the older asset first."""
    found = [candidate for asset in assets if (candidate := judge(machine, asset))]
    return sorted(found, key=lambda c: (-c.confidence, c.asset_id))[:MOST_CANDIDATES]


def decides(candidate: Candidate) -> str | None:
    """Return the code of the evidence that settles a candidate by itself, None when none does.

    Evidence that speaks against it leaves the decision to a person.
    """
    codes = [reason.code for reason in candidate.reasons]
    if any(reason.points < 0 for reason in candidate.reasons):
        return None
    return next((code for code in _DECIDES if code in codes), None)
