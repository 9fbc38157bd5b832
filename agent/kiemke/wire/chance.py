"""Random numbers from the system. Not ``random``: the tables it makes cost every office PC memory."""

import os
from typing import Protocol

MANTISSA_BITS = 53


class Chance(Protocol):
    """What spreads senders in time; ``random.Random`` is one, for tests."""

    def uniform(self, a: float, b: float) -> float:
        """Return a number from ``a`` to ``b``, all equally likely."""


class SystemChance:
    """The system's own randomness (getrandom(2), BCryptGenRandom)."""

    def uniform(self, a: float, b: float) -> float:
        """Return a number from ``a`` up to ``b``, all equally likely."""
        return a + (b - a) * random_bits(MANTISSA_BITS) / (1 << MANTISSA_BITS)


def random_bits(bits: int) -> int:
    """Return a number of this many random bits."""
    return int.from_bytes(os.urandom((bits + 7) // 8), "big") >> (-bits % 8)
