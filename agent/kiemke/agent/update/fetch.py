"""Asks the server for a release and brings it here, a part at a time: the half that needs no rights."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from kiemke.agent.files import StateError, read_json, write_json
from kiemke.agent.state import AgentIdentity
from kiemke.agent.update.decide import WORDS, Facts, is_intact, refusal
from kiemke.agent.update.places import Places, read_journal, trusted_keys
from kiemke.wire import __version__
from kiemke.wire.http1 import Reply
from kiemke.wire.link import Link, Unreachable
from kiemke.wire.update import PART_BYTES, Signed, read_signed

TIMEOUT_SECONDS = 30.0
REST_SECONDS = 2.0  # between two parts: a release leaves a thin line to the people in the office
UPDATE_PATH = "/api/v1/agent-update"


class FetchError(Exception):
    """The release did not come; the message says why. What came is kept for the next try."""


def fetch(
    places: Places,
    identity: AgentIdentity,
    system: str,
    *,
    version: str = __version__,
    rest: Callable[[float], None] = time.sleep,
) -> str:
    """Bring the release that the server offers, if it may be installed; return what came of it, in words.

    Raises FetchError, StateError, or PinError.
    """
    credentials = identity.credentials()
    link = Link(credentials.addresses, credentials.pins, TIMEOUT_SECONDS)
    headers = {
        "Authorization": f"Bearer {credentials.secret}",
        "X-Kiemke-Source": credentials.source,
    }
    try:
        query = f"{UPDATE_PATH}?system={system}&version={version}"
        reply = _ask(link, query, headers)
        if reply.status == 204:
            _forget(places)
            return "nothing newer"
        release, percent, signed = _read_offer(reply)
        journal = read_journal(places.updater)
        facts = Facts(
            version, system, credentials.source, trusted_keys(places.updater), percent,
            datetime.now(UTC), journal,
        )  # fmt: skip
        if (why := refusal(signed, facts)) is not None:
            return f"{signed.manifest.version} is left alone: {WORDS[why]}"
        _prepare(places, signed)
        _bring(
            places,
            signed,
            lambda part: _ask(link, f"{UPDATE_PATH}/{release}/{part}", headers),
            rest,
        )
        write_json(places.offer, {"percent": percent})
        _put(places.signed, signed.encode())
        return f"{signed.manifest.version} waits to be installed"
    finally:
        link.close()


def _ask(link: Link, path: str, headers: dict[str, str]) -> Reply:
    """Return the server's good answer. Raises FetchError."""
    try:
        reply = link.request("GET", path, None, headers)
    except Unreachable as err:
        raise FetchError(f"no server answers: {err}") from err
    if reply.status not in (200, 204):
        raise FetchError(f"the server answered {reply.status}")
    return reply


def _read_offer(reply: Reply) -> tuple[int, int, Signed]:
    """Return the release's number, its stage and its signed manifest. Raises FetchError."""
    try:
        said = json.loads(reply.body)
        return int(said["release"]), int(said["percent"]), read_signed(said["signed"].encode())
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as err:
        raise FetchError(f"the server's offer is not understood: {err}") from err


def _prepare(places: Places, signed: Signed) -> None:
    """Make room for the release; parts of another one are thrown away. Raises StateError."""
    try:
        places.inbox.mkdir(mode=0o700, exist_ok=True)
        wanted = places.inbox / "part.json"
        mark: dict[str, object] = {"sha256": signed.manifest.sha256}
        if _mark(wanted) != mark:
            places.package.unlink(missing_ok=True)
            _part(places).unlink(missing_ok=True)
            write_json(wanted, mark)
        places.signed.unlink(missing_ok=True)
    except OSError as err:
        raise StateError(f"{places.inbox}: {err.strerror or err}") from err


def _forget(places: Places) -> None:
    """Take away what waited: the updater, which has rights, deletes nothing in our folder. Raises StateError."""
    try:
        for file in (places.signed, places.package, places.offer, _part(places)):
            file.unlink(missing_ok=True)
    except OSError as err:
        raise StateError(f"{places.inbox}: {err.strerror or err}") from err


def _mark(file: Path) -> dict[str, object] | None:
    try:
        return read_json(file)
    except StateError:
        return None


def _part(places: Places) -> Path:
    return places.inbox / "offer.part"


def _bring(
    places: Places, signed: Signed, ask: Callable[[int], Reply], rest: Callable[[float], None]
) -> None:
    """Bring what is missing of the package. Raises FetchError or StateError."""
    if places.package.exists() and is_intact(places.package, signed):
        return
    part, size = _part(places), signed.manifest.size_bytes
    try:
        have = part.stat().st_size if part.exists() else 0
        have -= have % PART_BYTES
        with part.open("r+b" if part.exists() else "w+b") as file:
            file.truncate(have)
            file.seek(have)
            while have < size:
                data = ask(have // PART_BYTES).body
                if len(data) != min(PART_BYTES, size - have):
                    raise FetchError("a part of the release has another size")
                file.write(data)
                have += len(data)
                if have < size:
                    rest(REST_SECONDS)
        if not is_intact(part, signed):
            part.unlink()
            raise FetchError(WORDS["damaged"])
        part.replace(places.package)
    except OSError as err:
        raise StateError(f"{part}: {err.strerror or err}") from err


def _put(target: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises StateError."""
    fresh = target.with_name(target.name + ".new")
    try:
        fresh.write_bytes(data)
        fresh.replace(target)
    except OSError as err:
        raise StateError(f"{target}: {err.strerror or err}") from err
