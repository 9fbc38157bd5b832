"""Why a source was set aside, in the reader's language: the server keeps one sentence, in English."""

import re
from datetime import tzinfo

from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import Kind

# As the server writes them; what a part in braces stands for is kept as it is.
REASONS = (
    N_("boots alternate: two machines use one enrolment"),
    N_("one install on machines {one} and {other} by turns: a copied disk"),
    N_("same evidence as another live source: machines {one} and {other}"),
    N_("{count} agents on one PC: {signs}"),
    N_("another machine under the same secret: the disk was copied"),
    N_("its token was revoked"),
)


def _pattern(reason: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(reason)))


_PATTERNS = tuple((_pattern(reason), reason) for reason in REASONS)


def told(text: str) -> str:
    """Return a reason in the reader's language; words of a person, and unknown ones, as they are."""
    for pattern, reason in _PATTERNS:
        match = pattern.fullmatch(text)
        if match is not None:
            return _(reason).format(**match.groupdict())
    return text


def _render(value: object, zone: tzinfo) -> str | None:
    return told(value) if isinstance(value, str) else None


KIND = Kind(_render)
