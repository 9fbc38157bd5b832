"""The day of an open stock-take can be corrected: a version may say another one."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the column; what is there stays as it was opened."""

    dependencies = [("kiemke", "0039_official_order")]

    operations = [
        ops.AddField(model_name="StockTakeVersion", name="day", field=fields.DateField(null=True)),
    ]
