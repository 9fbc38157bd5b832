"""Lines on ports of polled devices, straight in the database."""

from datetime import date

from kiemke.server.db import Database
from tests.support.reporting import Sender, insert

SPEED = 100_000_000


async def add_line(database: Database, sender: Sender, code: str, port: str) -> tuple[int, int]:
    """Add a line on a port of a device of its own, polled by ``sender``: link, device."""
    async with database.transaction() as session:
        source = await session.one("SELECT unit_id FROM source WHERE id = :i", i=sender.source_id)
        assert source is not None
        device = await insert(
            session,
            "device",
            code=f"D{code}",
            name="Vigor",
            search_key="vigor",
            kind="router",
            unit_id=source["unit_id"],
            collector_id=sender.source_id,
            port=161,
            created_at_ms=0,
        )
        link = await insert(session, "link", code=f"L{code}", created_at_ms=0)
    await add_version(database, link, device, port)
    return link, device


async def add_version(database: Database, link: int, device: int, port: str) -> None:
    """Say that a line's port carries it since 2020."""
    async with database.transaction() as session:
        unit = await session.one("SELECT unit_id FROM device WHERE id = :i", i=device)
        assert unit is not None
        await insert(
            session,
            "link_version",
            valid_from=date(2020, 1, 1),
            recorded_at_ms=0,
            link_id=link,
            unit_id=unit["unit_id"],
            device_id=device,
            interface_name=port,
            name="FTTH",
            kind="internet",
            down_bits_per_second=SPEED,
            up_bits_per_second=SPEED,
        )
