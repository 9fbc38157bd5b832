"""Why a PC did not take a release, as its agent says it, in the reader's language."""

from datetime import tzinfo

from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import Kind

# The agent's own words (a test compares); what else it says, such as an installer's complaint, is shown as it is.
REASONS = (
    N_("no key that is trusted here signed it"),
    N_("it is for another system"),
    N_("it is not newer than what is installed, or than what once was"),
    N_("this version was taken back here before; the next one will do"),
    N_("its time is over"),
    N_("it was taken back while the server was not reached, and it is not reached yet"),
    N_("it is not this PC's turn yet"),
    N_("the package is not the one that was signed"),
    N_("it did not report within ten minutes"),
    N_(
        "it did not report within ten minutes, nor did the one before it: tried again once that one has"
    ),
    N_(
        "it did not report within ten minutes, nor did the one before it, 3 times: the next one will do"
    ),
)


def _why(value: object, zone: tzinfo) -> str | None:
    return _(value) if isinstance(value, str) and value else None


WHY = Kind(_why)
