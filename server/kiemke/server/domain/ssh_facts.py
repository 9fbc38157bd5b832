"""What devices said of themselves by SSH stands in their row where SNMP left it unknown."""

from collections.abc import Iterable

from kiemke.server.db import Session

FACTS = ("vendor", "model", "version", "serial")


def _fill() -> str:
    """Return the statement; ``by_ssh`` ends as the names of what came from SSH, a comma behind each."""
    fills = [f"{name} = COALESCE(device_now.{name}, s.{name})" for name in FACTS]
    named = [
        f"CASE WHEN device_now.{name} IS NULL AND s.{name} IS NOT NULL THEN '{name},' ELSE '' END"
        for name in FACTS
    ]
    told = " || ".join(["COALESCE(device_now.by_ssh, '')", *named])
    lacks = [f"(device_now.{name} IS NULL AND s.{name} IS NOT NULL)" for name in FACTS]
    return (
        f"UPDATE device_now SET by_ssh = {told}, {', '.join(fills)}"  # noqa: S608  # the names above
        " FROM device_ssh s WHERE s.device_id = device_now.device_id"
        f" AND device_now.device_id IN :[devices] AND ({' OR '.join(lacks)})"
    )


def _renew() -> str:
    """Return the statement that lets a newer visit replace what an older one had filled in."""
    sets = [
        f"{name} = CASE WHEN device_now.by_ssh LIKE '%{name},%' THEN NULL"
        f" ELSE device_now.{name} END"
        for name in FACTS
    ]
    return (
        f"UPDATE device_now SET {', '.join(sets)}, by_ssh = NULL"  # noqa: S608  # the names above
        " WHERE device_id IN :[devices] AND by_ssh LIKE '%,%'"
    )


_FILL, _RENEW = _fill(), _renew()


async def fill(session: Session, devices: Iterable[int], *, visited: bool = False) -> None:
    """Fill in the rows of these devices; with ``visited``, what SSH said before goes first."""
    wanted = sorted(set(devices))
    if not wanted:
        return
    if visited:
        await session.execute(_RENEW, devices=wanted)
    await session.execute(_FILL, devices=wanted)
