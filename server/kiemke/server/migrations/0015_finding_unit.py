"""The unit that a finding is about, and its words in Vietnamese."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

# The others are renewed by who opens them; these are opened once.
_FILL = """
UPDATE finding SET unit_id =
  (SELECT s.unit_id FROM source s WHERE finding.subject IN ('source:' || s.id, 'source:' || s.public_id))
WHERE kind IN ('cloned_source', 'cloned_install') AND closed_at_ms IS NULL
  AND (SELECT COUNT(*) FROM source s
    WHERE finding.subject IN ('source:' || s.id, 'source:' || s.public_id)) = 1
"""


class Migration(migrations.Migration):
    """Add both columns."""

    dependencies = [("kiemke", "0014_sites")]

    operations = [
        ops.AddField(
            model_name="Finding",
            name="unit",
            field=fields.ForeignKeyField(
                "kiemke.Unit",
                source_field="unit_id",
                null=True,
                db_index=True,
                db_constraint=True,
                to_field="id",
                related_name="findings",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField("Finding", "detail_vi", fields.CharField(null=True, max_length=500)),
        ops.RunSQL(_FILL),
    ]
