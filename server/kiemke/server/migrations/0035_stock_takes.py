"""Stock-takes: what is counted by which decision, what was found, and the minutes as they were closed."""

from typing import Any

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


def _reference(model: str, column: str, related: str, *, null: bool = False) -> Any:
    make: Any = fields.ForeignKeyField  # its overloads want ``null`` spelled out
    return make(
        f"kiemke.{model}",
        source_field=column,
        null=null,
        db_index=True,
        db_constraint=True,
        to_field="id",
        related_name=related,
        on_delete=OnDelete.RESTRICT,
    )


def _key() -> tuple[str, fields.BigIntField]:
    made = fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)
    return ("id", made)


def _dated() -> list[tuple[str, Any]]:
    return [
        _key(),
        ("valid_from", fields.DateField()),
        ("valid_to", fields.DateField(null=True)),
        ("instrument", fields.CharField(null=True, max_length=200)),
        ("recorded_at_ms", fields.BigIntField()),
        ("recorded_by", fields.CharField(null=True, max_length=100)),
        ("voided_at_ms", fields.BigIntField(null=True)),
        ("voided_by", fields.CharField(null=True, max_length=100)),
    ]


class Migration(migrations.Migration):
    """Create the tables, and the columns by which a count says in which stock-take it was."""

    dependencies = [("kiemke", "0034_audit_about")]

    operations = [
        ops.CreateModel(
            name="StockTake",
            fields=[
                _key(),
                ("day", fields.DateField()),
                ("reason", fields.CharField(max_length=20)),
                ("instrument", fields.CharField(max_length=200)),
                ("opened_at_ms", fields.BigIntField()),
                ("opened_by", fields.CharField(max_length=100)),
            ],
            options={
                "table": "stock_take",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A stock-take: the book as of ``day`` is held against what stands there.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StockTakeVersion",
            fields=[
                *_dated(),
                ("stock_take", _reference("StockTake", "stock_take_id", "versions")),
                ("unit", _reference("Unit", "unit_id", "stock_takes")),
                ("counted_unit", _reference("Unit", "counted_unit_id", "counted_in")),
                ("state", fields.CharField(max_length=12)),
                ("board_json", fields.TextField(unique=False)),
            ],
            options={
                "table": "stock_take_version",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Whose a stock-take is, its board and its state (TAKE_STATES) over a span of days.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="StockTakeSurplus",
            fields=[
                *_dated(),
                ("stock_take", _reference("StockTake", "stock_take_id", "surplus")),
                ("number", fields.CharField(max_length=120)),
                ("number_key", fields.CharField(max_length=120)),
                ("name", fields.CharField(null=True, max_length=200)),
                ("kind", fields.CharField(null=True, max_length=30)),
                ("place", fields.CharField(null=True, max_length=200)),
                ("note", fields.CharField(null=True, max_length=400)),
                ("counted_by", fields.CharField(max_length=200)),
            ],
            options={
                "table": "stock_take_surplus",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A thing that stands there and is not on the book, found on ``valid_from`` (a one-day row).",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="StockTakeLine",
            fields=[
                _key(),
                ("stock_take", _reference("StockTake", "stock_take_id", "lines")),
                ("position", fields.IntField()),
                ("line_json", fields.TextField(unique=False)),
            ],
            options={
                "table": "stock_take_line",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A line of the minutes as it stood when the stock-take was closed, written once.",
                "unique_together": (("stock_take_id", "position"),),
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="CountedAsset",
            name="stock_take",
            field=_reference("StockTake", "stock_take_id", "counts", null=True),
        ),
        ops.AddField(
            model_name="CountedAsset",
            name="found",
            field=fields.CharField(null=True, max_length=10),
        ),
        ops.AddField(
            model_name="CountedAsset",
            name="place",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="CountedAsset",
            name="seen_unit",
            field=_reference("Unit", "seen_unit_id", "counts", null=True),
        ),
        ops.AddField(
            model_name="CountedAsset",
            name="note",
            field=fields.CharField(null=True, max_length=400),
        ),
    ]
