"""A port that is found otherwise than before: went up or down, another speed, another duplex."""

from collections.abc import Mapping
from typing import Any

from kiemke.server.db import Session

_NEGOTIATED = ("speed_bits_per_second", "duplex")
_ADD = """
INSERT INTO port_change (device_id, source_id, if_index, name, at_ms, recorded_at_ms, changes, oper_up,
  speed_bits_per_second, duplex)
VALUES (:device_id, :source_id, :if_index, :name, :at_ms, :recorded_at_ms, :changes, :oper_up,
  :speed_bits_per_second, :duplex)
"""


def change_of(
    before: Mapping[str, Any], after: Mapping[str, Any], received_at_ms: int
) -> dict[str, Any] | None:
    """Return the row to keep of two readings of one port, None when nothing watched has changed.

    ``changes`` counts up and down in between. What one of the readings did not tell is no change.
    """
    changes = after["state_changes"] - (before["state_changes"] or 0)
    other = any(
        before[name] is not None and after[name] is not None and before[name] != after[name]
        for name in _NEGOTIATED
    )
    if changes <= 0 and not other:
        return None
    names = ("device_id", "source_id", "if_index", "name", "oper_up", *_NEGOTIATED)
    return {
        **{name: after[name] for name in names},
        "changes": changes,
        "at_ms": after["read_at_ms"],
        "recorded_at_ms": received_at_ms,
    }


async def keep(session: Session, changes: list[dict[str, Any] | None]) -> None:
    """Store changes."""
    await session.many(_ADD, [each for each in changes if each is not None])
