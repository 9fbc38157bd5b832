"""What a decision that reorganises units says: a paper, its day, its changes; and why it may not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.text_labels import Words

CHANGE_KINDS = ("rename", "retype", "move", "merge", "split", "assign", "end")


class CannotReorganise(Refused):
    """The decision contradicts itself or the ledger; nothing was changed."""


def refuse(vi: str, en: str, remedy_vi: str, remedy_en: str) -> CannotReorganise:
    """Return the exception with both languages' what and remedy."""
    return CannotReorganise(Words(vi, en), Words(remedy_vi, remedy_en))


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit the decision makes; ``parent`` is a code, of the decision's new units first."""

    code: str
    name: str
    type: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``units`` are codes as they were before the day.

    merge: all ``units`` into ``into[0]``. split: ``units[0]`` into the parts ``into``, with ``assign``
    saying of "official:CODE", "asset:CODE", "link:CODE", "device:CODE" which part it goes to.
    assign: the same out of a unit "chưa phân bổ". rename: ``name`` and, if given, ``code``.
    retype: ``type``. move: ``parent``.
    """

    kind: str
    units: tuple[str, ...]
    into: tuple[str, ...] = ()
    assign: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None
    name: str | None = None
    type: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A paper's changes: its number (``instrument``) and the day they take effect."""

    day: date
    instrument: str
    new: tuple[NewUnit, ...] = ()
    changes: tuple[Change, ...] = ()
