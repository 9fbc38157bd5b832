"""The columns that every history has: since and until when a row holds, by which paper, who wrote it when."""

from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT
from kiemke.cli.records import Record
from kiemke.cli.tables import Column

SPAN = (Column(N_("Since"), "valid_from", DAY), Column(N_("Until"), "valid_to", DAY))
WRITTEN = (
    Column(N_("Paper"), "instrument", flexible=True),
    Column(N_("Recorded by"), "recorded_by", flexible=True, optional=4),
    Column(N_("Recorded at"), "recorded_at", MOMENT, optional=5),
)
CORRECTED = Column(N_("Corrected"), "taken")


def mark_corrected(row: Record) -> Record:
    """Return a row with what the column CORRECTED shows of it."""
    return {**row, "taken": _("yes")} if row.get("voided") else row
