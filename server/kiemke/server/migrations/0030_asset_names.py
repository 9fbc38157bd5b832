"""What an asset was called, and the number on its sticker, by date: beside what else its papers said."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

# Whatever was said of an asset so far was said under the name it has.
_NAMES = """
UPDATE asset_fact SET name = (SELECT a.name FROM asset a WHERE a.id = asset_fact.asset_id),
  tag = (SELECT a.tag FROM asset a WHERE a.id = asset_fact.asset_id)
"""


class Migration(migrations.Migration):
    """Add the columns and fill them."""

    dependencies = [("kiemke", "0029_audit_unit")]

    operations = [
        ops.AddField(
            model_name="AssetFact",
            name="name",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="AssetFact",
            name="tag",
            field=fields.CharField(null=True, max_length=60),
        ),
        ops.RunSQL(_NAMES),
    ]
