"""Finding words among a few units: without it who sees one commune reads the country's words past."""

from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

_INDEX = "CREATE INDEX search_word_unit ON search_word (unit_id, kind, word @order, subject_id)"


async def _index(_apps: Any, editor: Any) -> None:
    """Index by unit, then by the words' bytes as the other index does."""
    order = "" if editor.client.capabilities.dialect == "sqlite" else 'COLLATE "C"'
    await editor.client.execute_script(_INDEX.replace("@order", order))


class Migration(migrations.Migration):
    """Create the index."""

    dependencies = [("kiemke", "0030_asset_names")]

    initial = False

    operations = [
        ops.RunPython(_index),
    ]
