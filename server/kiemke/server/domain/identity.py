"""Whether two sets of evidence are one machine: agreement adds, contradiction takes off; pure functions.

Kinds that change together are one group, of which only the heaviest contradiction counts: a swapped
main board changes UUID, board serial and MAC at once. Every comparison keeps its lines, so that it can
be explained. The points are dated rules (``identity.toml``).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain import rules_dated
from kiemke.server.domain.evidence import KINDS, Key, Values
from kiemke.server.domain.text_labels import EVIDENCE, EVIDENCE_RESULTS

RULES = "identity.toml"
INSTALL = "install"
MODEL_AND_MAC = "model_and_mac"
# What changes together.
_GROUPS = {
    "uuid": "board", "board": "board", "mac": "board", "model": "board",
    "system": "maker", "chassis": "maker",
}  # fmt: skip
# One of these alone, with nothing against it, is enough.
_STRONG = frozenset({"uuid", "system", "board"})
# Firmware strings can be copied from PC to PC and parts cannot.
_PARTS = frozenset({"mac", "disk", "memory"})
_MOST_SHOWN = 4

SAME, ASK, DIFFERENT = "same", "ask", "different"


@dataclass(frozen=True, slots=True)
class Weights:
    """The rules of a day: points by kind, thresholds, and values that a person called bogus."""

    agrees: dict[str, int]
    differs: dict[str, int]
    same_min: int
    ask_min: int
    margin: int
    learned_above: int
    both_live_ms: int
    return_days: int
    bogus: frozenset[str] = frozenset()


async def load_weights(session: Session, day: date, known_ms: int) -> Weights:
    """Return the weights valid on ``day``. Raises UnknownRule or UnusableRule."""
    law = (await rules_dated.load(session, RULES)).on(day, known_ms)

    def whole(name: str, subject: str = rules_dated.EVERYTHING, most: int = 1000) -> int:
        return law.whole(name, subject, 0, most)

    return Weights(
        agrees={kind: whole("identity_agrees", kind) for kind in (*KINDS, INSTALL, MODEL_AND_MAC)},
        differs={
            kind: whole("identity_differs", kind)
            for kind in KINDS
            if law.find("identity_differs", kind) is not None
        },
        same_min=whole("identity_same_min"),
        ask_min=whole("identity_ask_min"),
        margin=whole("identity_margin"),
        learned_above=whole("identity_learned_machines", most=10_000),
        both_live_ms=1000 * whole("identity_both_live_seconds", most=86_400),
        return_days=whole("identity_return_days"),
        bogus=frozenset(r.subject for r in law.subjects("identity_bogus")),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of evidence on both sides, and the points it gave.

    ``result`` is "agrees", "differs", "unknown" (one side says nothing) or "worthless" (a value that
    stands on too many machines, or a shared adapter's).
    """

    kind: str
    result: str
    points: int
    here: tuple[str, ...] = ()
    there: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All lines, their sum, and what follows: "same", "ask" or "different".

    ``copied``: firmware agrees while every part that both sides know is another one.
    """

    lines: tuple[Line, ...]
    score: int
    verdict: str
    copied: bool = False

    @property
    def agreeing(self) -> frozenset[str]:
        """Return the kinds that agree."""
        return frozenset(line.kind for line in self.lines if line.result == "agrees")

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "score": self.score,
            "verdict": self.verdict,
            "copied": self.copied,
            "lines": [asdict(line) for line in self.lines if line.result != "unknown"],
        }

    def in_words(self, language: str) -> str:
        """Return the telling lines: ``firmware UUID agrees +40, disk serial differs -10``."""
        return ", ".join(
            f"{EVIDENCE[line.kind].say(language)} {EVIDENCE_RESULTS[line.result].say(language)}"
            f" {line.points:+d}"
            for line in self.lines
            if line.result in EVIDENCE_RESULTS
        )


@dataclass(slots=True)
class _Sum:
    lines: list[Line] = field(default_factory=list)
    agreeing: set[str] = field(default_factory=set)
    differing: set[str] = field(default_factory=set)


def compare(
    here: Values,
    there: Values,
    weights: Weights,
    is_worthless: Callable[[Key], bool],
    *,
    same_install: bool = False,
) -> Comparison:
    """Weigh two sets of evidence; ``same_install`` when one install of the agent showed both."""
    found = _Sum()
    if same_install:
        found.lines.append(Line(INSTALL, "agrees", weights.agrees[INSTALL]))
        found.agreeing.add(INSTALL)
    for kind in KINDS:
        _weigh_kind(found, kind, here, there, weights, is_worthless)
    if "mac" not in found.agreeing:
        found.agreeing.discard("model")
    _keep_heaviest(found.lines, weights)
    score = sum(line.points for line in found.lines)
    parts_agree = found.agreeing & _PARTS
    # A new install beside another MAC is enough: a PC that is imaged anew keeps its adapter.
    other_adapter = "mac" in found.differing and not same_install
    copied = not parts_agree and (other_adapter or len(found.differing & {*_PARTS, "board"}) >= 2)
    enough = (
        len(found.agreeing - {"monitor"}) >= 2
        or (bool(found.agreeing & _STRONG) and not found.differing)
    )  # fmt: skip
    if score >= weights.same_min and enough and not copied:
        verdict = SAME
    else:
        verdict = ASK if score >= weights.ask_min else DIFFERENT
    return Comparison(tuple(found.lines), score, verdict, copied and bool(found.agreeing))


def _weigh_kind(
    found: _Sum,
    kind: str,
    here: Values,
    there: Values,
    weights: Weights,
    is_worthless: Callable[[Key], bool],
) -> None:
    """Add one kind's line."""
    mine, theirs = here.get(kind, frozenset()), there.get(kind, frozenset())
    worth_mine = {value for value in mine if not is_worthless((kind, value))}
    worth_theirs = {value for value in theirs if not is_worthless((kind, value))}
    shown = _shown(mine), _shown(theirs)
    if shared := worth_mine & worth_theirs:
        # A make stands on many PCs: it says something beside a MAC, and next to nothing alone.
        beside = kind == "model" and "mac" in found.agreeing
        points = weights.agrees[MODEL_AND_MAC if beside else kind]
        found.agreeing.add(kind)
        found.lines.append(Line(kind, "agrees", points, _shown(shared), _shown(shared)))
    elif worth_mine and worth_theirs:
        if kind in weights.differs:
            found.differing.add(kind)
        found.lines.append(Line(kind, "differs", -weights.differs.get(kind, 0), *shown))
    elif mine & theirs:
        found.lines.append(Line(kind, "worthless", 0, *shown))
    else:
        found.lines.append(Line(kind, "unknown", 0, *shown))


def _keep_heaviest(lines: list[Line], weights: Weights) -> None:
    """Of each group let only the heaviest contradiction count."""
    heaviest: dict[str, int] = {}
    for line in lines:
        if line.result == "differs":
            group = _GROUPS.get(line.kind, line.kind)
            heaviest[group] = max(heaviest.get(group, 0), -line.points)
    for position, line in enumerate(lines):
        group = _GROUPS.get(line.kind, line.kind)
        if line.result == "differs" and -line.points < heaviest[group]:
            lines[position] = Line(line.kind, "differs", 0, line.here, line.there)
        elif line.result == "differs":
            heaviest[group] = 10**9  # a second one of the same weight counts no more


def _shown(values: "frozenset[str] | set[str]") -> tuple[str, ...]:
    return tuple(sorted(values))[:_MOST_SHOWN]
