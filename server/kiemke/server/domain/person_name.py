"""The parts of a Vietnamese name: họ, đệm, tên; and a name made of parts."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kiemke.server.domain.refusal import refused
from kiemke.server.domain.text import parts_sort_key, search_key

PERSON = ("name", "family_name", "middle_name", "given_name", "phone", "mailbox", "account")


class NameParts(NamedTuple):
    """Family name (họ), middle names (đệm) and given name (tên); "" where there is none."""

    family: str
    middle: str
    given: str


def split_name(name: str) -> NameParts:
    """Return the parts as they follow from the name: its first word, what is between, its last."""
    words = name.split()
    if not words:
        return NameParts("", "", "")
    if len(words) == 1:
        return NameParts("", "", words[0])
    return NameParts(words[0], " ".join(words[1:-1]), words[-1])


def join_name(parts: NameParts) -> str:
    """Return the whole name."""
    return " ".join(" ".join(parts).split())


def person_fields(given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the columns of a person after a change; a name told by its parts is put together.

    Parts are stored only where they do not follow from the name.
    """
    merged = {name: (before or {}).get(name) for name in PERSON}
    if "name" in given:  # a new name: its parts follow from it unless they are said too
        merged |= {"family_name": None, "middle_name": None, "given_name": None}
    merged |= {name: given[name] for name in PERSON if name in given}
    said = any(part in given for part in ("family_name", "middle_name", "given_name"))
    parts = parts_of(merged)
    if said and "name" not in given:
        merged["name"] = join_name(parts)
    name = merged["name"] or ""
    plain = split_name(name) == parts
    for column, part in zip(("family_name", "middle_name", "given_name"), parts, strict=True):
        merged[column] = None if plain else part
    if not name:
        raise refused("Cán bộ cần có tên.", "An official needs a name.", "Nêu tên.", "Give it.")
    return merged


def parts_of(person: Mapping[str, Any]) -> NameParts:
    """Return the parts of a person's name: as told, else as they follow from the name."""
    plain = split_name(person["name"] or "")
    told = (person["family_name"], person["middle_name"], person["given_name"])
    return NameParts(*(p if t is None else t for t, p in zip(told, plain, strict=True)))


def keys_of(person: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys by which a person is sorted (given name first) and found."""
    return {
        "sort_key": parts_sort_key(*parts_of(person)),
        "search_key": search_key(person["name"]),
    }
