"""Finding the one thing a person means: by id, code, sticker, phone or part of a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import click

from kiemke.cli.app import App
from kiemke.cli.errors import Ambiguous, KiemkeError, ServerProblem
from kiemke.cli.i18n import _
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.text import fold, visible

MOST_CANDIDATES = 20
# What the server answers where a reference is no code of one thing: then it is searched for.
NOT_EXACT = (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of thing. ``keys`` name it exactly; ``labels`` tell candidates apart.

    ``kind`` is what the search calls it, None where the search knows no such thing.
    """

    path: str
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    reference: tuple[str, ...] = ("code", "id")
    kind: str | None = None


UNIT = Noun("units", ("code", "name"), ("code", "name"), kind="unit")
PLACE = Noun("places", ("code", "name"), ("code", "name", "unit.name"), kind="place")
OFFICIAL = Noun(
    "officials",
    ("code", "phone", "mailbox", "account", "name"),
    ("code", "name", "post", "unit.name"),
    kind="official",
)
ASSET = Noun(
    "assets",
    ("code", "tag", "serial", "name"),
    ("code", "tag", "name", "unit.name"),
    kind="asset",
)
MACHINE = Noun(
    "machines",
    ("hostname", "serial", "asset.code", "asset.tag"),
    ("id", "hostname", "serial", "unit.name"),
    ("id",),
    "machine",
)
DEVICE = Noun(
    "devices", ("code", "address", "name"), ("code", "name", "address", "unit.name"), kind="device"
)
LINK = Noun("links", ("code", "name"), ("code", "name", "provider", "unit.name"), kind="link")
SECRET = Noun("secrets", ("name",), ("id", "name", "kind", "unit.name"), ("id",))
SOURCE = Noun("sources", ("id", "hostname"), ("id", "kind", "hostname", "state"), ("id",), "source")


def pick(
    app: App,
    noun: Noun,
    reference: str,
    parameters: Mapping[str, str | int | None] | None = None,
) -> Record:
    """Return the one thing a reference means, asking a person where it fits several.

    Raises Ambiguous where nobody can be asked, KiemkeError where nothing fits.
    """
    if not reference.strip():
        raise click.UsageError(_("a name is missing: it was empty"))
    try:
        return app.client.one(noun.path, reference, parameters)
    except ServerProblem as problem:
        if problem.status not in NOT_EXACT:
            raise
        refusal = problem
    found = app.client.items(f"/{noun.path}", {**(parameters or {}), "q": reference}, 1000)
    items = found.items or _searched(app, noun, reference, parameters)
    chosen = _only(noun, reference, items)
    if chosen is None:
        if not items:
            raise KiemkeError(
                refusal.what,
                where=refusal.where,
                remedy=refusal.remedy or _("look at the list for its code or name"),
            ) from refusal
        chosen = _choose(app, noun, reference, items)
    return app.client.one(noun.path, _reference_of(noun, chosen), parameters)


def _searched(
    app: App, noun: Noun, reference: str, parameters: Mapping[str, str | int | None] | None
) -> tuple[Record, ...]:
    """Return what the search finds of the kind: by words in any order, by any number on a sticker."""
    if noun.kind is None:
        return ()
    asked = {**(parameters or {}), "q": reference, "kind": noun.kind, "limit": MOST_CANDIDATES}
    try:
        hits = records_of(dig(app.client.get("/search", asked), "items"))
        refs = dict.fromkeys(ref for hit in hits if (ref := text_at(hit, "ref")))
        return tuple(app.client.one(noun.path, ref, parameters) for ref in refs)
    except ServerProblem:  # nothing to search for in it, or gone meanwhile: as if nothing was found
        return ()


def reference(
    app: App,
    noun: Noun,
    given: str | None,
    parameters: Mapping[str, str | int | None] | None = None,
) -> str | None:
    """Return the code (or id) of what a reference means, None for none.

    ``parameters`` are the day and moment that are asked about: a unit that ended since was one then.
    """
    return None if given is None else _reference_of(noun, pick(app, noun, given, parameters))


def _reference_of(noun: Noun, record: Record) -> str:
    return next((found for field in noun.reference if (found := text_at(record, field))), "")


def _only(noun: Noun, given: str, found: Sequence[Record]) -> Record | None:
    """The single candidate, or the single one whose key is exactly what was given."""
    if len(found) == 1:
        return found[0]
    wanted = fold(given)
    for key in noun.keys:
        exact = [item for item in found if fold(text_at(item, key) or "") == wanted]
        if len(exact) == 1:
            return exact[0]
    return None


def _label(noun: Noun, record: Record) -> str:
    parts = (text_at(record, field) for field in noun.labels)
    return " · ".join(visible(part) for part in parts if part)


def _choose(app: App, noun: Noun, given: str, found: Sequence[Record]) -> Record:
    shown = found[:MOST_CANDIDATES]
    more = len(found) - len(shown)
    labels = [_label(noun, record) for record in shown]
    if not app.interactive():
        raise Ambiguous(given, labels, more)
    app.say(
        _("“{reference}” fits {count} things").format(reference=given, count=len(found)),
        *(f"  {number:>2}  {label}" for number, label in enumerate(labels, 1)),
        to_stderr=True,
    )
    number = click.prompt(_("Which one? (number)"), type=click.IntRange(1, len(shown)), err=True)
    return shown[int(number) - 1]
