"""What every table shares: keys, moments as epoch milliseconds, and the two times of a dated row.

Moments are BIGINT milliseconds since 1970-01-01T00:00Z (column names end in ``_ms``): one
representation on both databases, compared and indexed the same way. Calendar days are DATE, local
at the installation's fixed UTC offset.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.models import Model


def reference(model: str, related: str, *, null: bool = False) -> Any:
    """Return a foreign key that is indexed and never cascades."""
    make: Any = fields.ForeignKeyField  # its overloads want ``null`` spelled out
    return make(
        f"kiemke.{model}",
        related_name=related,
        null=null,
        on_delete=OnDelete.RESTRICT,
        db_index=True,
    )


class Dated(Model):
    """A row that was so from ``valid_from`` until before ``valid_to``, as the system said it.

    Append-only: a correction voids the row (``voided_at_ms``) and adds another one. ``instrument`` is
    the number of the decision or paper behind the row.
    """

    id = fields.BigIntField(primary_key=True)
    valid_from = fields.DateField()
    valid_to = fields.DateField(null=True)
    instrument = fields.CharField(max_length=200, null=True)
    recorded_at_ms = fields.BigIntField()
    recorded_by = fields.CharField(max_length=100, null=True)
    voided_at_ms = fields.BigIntField(null=True)
    voided_by = fields.CharField(max_length=100, null=True)

    class Meta:
        """No table of its own."""

        abstract = True
