"""What kind of thing an asset was, and why it might carry no agent, by date: beside what else its papers said."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Whatever was said of an asset so far was said of what it is.
_KINDS = """
UPDATE asset_fact SET kind = (SELECT a.kind FROM asset a WHERE a.id = asset_fact.asset_id),
  no_agent_reason = (SELECT a.no_agent_reason FROM asset a WHERE a.id = asset_fact.asset_id)
"""


class Migration(migrations.Migration):
    """Add the columns and fill them."""

    dependencies = [("kiemke", "0035_stock_takes")]

    operations = [
        ops.AddField(
            model_name="AssetFact",
            name="kind",
            field=fields.CharField(null=True, max_length=30),
        ),
        ops.AddField(
            model_name="AssetFact",
            name="no_agent_reason",
            field=fields.CharField(null=True, max_length=30),
        ),
        ops.RunSQL(_KINDS),
    ]
