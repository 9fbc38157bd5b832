"""What was answered about a PC when the agent was installed on it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClaimedHolder:
    """What somebody answered at the installation: who uses the PC, and what its sticker says.

    ``code`` is the holder's on the roster that was shown, None for a name that was typed. A word, not
    custody: it is shown as evidence and counts nowhere.
    """

    holder: str | None = None
    code: str | None = None
    tag: str | None = None
    claimed_on: str | None = None
