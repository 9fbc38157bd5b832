"""An agent may be named its site's probe."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the moment since when."""

    dependencies = [("kiemke", "0018_agent_release")]

    operations = [
        ops.AddField(
            model_name="Source", name="probe_since_ms", field=fields.BigIntField(null=True)
        ),
    ]
