"""A handover that was entered wrongly can be taken back: its minutes wait for nobody then."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the columns; what is there stands."""

    dependencies = [("kiemke", "0040_stock_take_day")]

    operations = [
        ops.AddField(
            model_name="HandoverMinutes",
            name="voided_at_ms",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="HandoverMinutes",
            name="voided_by",
            field=fields.CharField(max_length=100, null=True),
        ),
    ]
