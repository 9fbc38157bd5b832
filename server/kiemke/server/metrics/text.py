"""Prometheus text, formatted by hand: families, label escaping, and blocks of finished lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family: its name, type ("gauge" or "counter") and a sentence with the unit."""

    name: str
    type: str
    help: str

    def header(self) -> str:
        """Return the HELP and TYPE lines."""
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} {self.type}\n"


@dataclass(frozen=True, slots=True)
class Block:
    """The finished lines of one subject, one text per family of its group.

    ``unit_id`` decides who may see it; None is for those who see everything.
    """

    unit_id: int | None
    texts: tuple[str, ...]
    series: int


def make_block(unit_id: int | None, texts: Sequence[str]) -> Block:
    """Return a block with its series counted."""
    return Block(unit_id, tuple(texts), sum(text.count("\n") for text in texts))


def label(value: str) -> str:
    """Return a label value escaped for the text format; what cannot be printed becomes U+FFFD."""
    if not value.isprintable():
        value = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in value)
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float | int | Fraction) -> str:
    """Return a sample value: integers whole, others with the digits that give them back."""
    if isinstance(value, Fraction):
        value = value.numerator if value.denominator == 1 else float(value)
    return str(value) if isinstance(value, int) else repr(value)


def ppm(value: int | None) -> str | None:
    """Return millionths as a ratio, None for None."""
    return None if value is None else number(Fraction(value, 1_000_000))
