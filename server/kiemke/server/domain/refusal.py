"""Why a change to a ledger cannot be made: what is in its way and what to do, in both languages."""

from kiemke.server.domain.text_labels import Words


class Refused(Exception):
    """A change contradicts itself or the ledger; nothing was changed."""

    def __init__(self, message: Words, remedy: Words) -> None:
        super().__init__(message.en)
        self.message = message
        self.remedy = remedy


def refused(vi: str, en: str, remedy_vi: str, remedy_en: str) -> Refused:
    """Return the exception with both languages' what and remedy."""
    return Refused(Words(vi, en), Words(remedy_vi, remedy_en))
