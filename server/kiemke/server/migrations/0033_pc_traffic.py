"""What PCs moved behind lines that no device counts, and the sum of it by line and day."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


def _reference(name: str, to: str, related: str) -> "tuple[str, fields.Field[Any]]":
    return (
        name,
        fields.ForeignKeyField(
            f"kiemke.{to}",
            source_field=f"{name}_id",
            db_index=True,
            db_constraint=True,
            to_field="id",
            related_name=related,
            on_delete=OnDelete.RESTRICT,
        ),
    )


def _id(name: str, *, generated: bool = True) -> "tuple[str, fields.Field[Any]]":
    return (
        name,
        fields.BigIntField(generated=generated, primary_key=True, unique=True, db_index=True),
    )


def _octets(*names: str) -> "list[tuple[str, fields.Field[Any]]]":
    return [(f"{name}_octets", fields.CharField(null=True, max_length=20)) for name in names]


class Migration(migrations.Migration):
    """Create the tables."""

    dependencies = [("kiemke", "0032_search_block")]

    initial = False

    operations = [
        ops.CreateModel(
            name="PcTrafficUnit",
            fields=[
                _id("unit_id", generated=False),
                _reference("link", "Link", "pc_traffic_units"),
            ],
            options={
                "table": "pc_traffic_unit",
                "app": "kiemke",
                "pk_attr": "unit_id",
                "table_description": "A unit whose PCs use one line that no device counts: their traffic is kept. Remade by a job.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PcTrafficDay",
            fields=[
                _id("id"),
                _reference("source", "Source", "pc_traffic_days"),
                _reference("unit", "Unit", "pc_traffic_days"),
                ("day", fields.DateField(db_index=True)),
                ("packed", fields.BinaryField()),
                *_octets("receive_gap", "transmit_gap"),
                ("changed_at_ms", fields.BigIntField(db_index=True)),
            ],
            options={
                "table": "pc_traffic_day",
                "app": "kiemke",
                "unique_together": (("source_id", "day"),),
                "pk_attr": "id",
                "table_description": "What the busiest adapter of one PC moved on one local day, as slots of a line's day.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LinkPcsDay",
            fields=[
                _id("id"),
                _reference("link", "Link", "pcs_days"),
                ("day", fields.DateField(db_index=True)),
                ("packed", fields.BinaryField()),
                ("pcs", fields.IntField()),
                ("pcs_expected", fields.IntField()),
                ("counted_seconds", fields.IntField()),
                *_octets("receive", "transmit", "receive_gap", "transmit_gap"),
                ("changed_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "link_pcs_day",
                "app": "kiemke",
                "unique_together": (("link_id", "day"),),
                "pk_attr": "id",
                "table_description": "One local day of the PCs behind a line that no device counts: the sum of ``pc_traffic_day``.",
            },
            bases=["Model"],
        ),
    ]
