"""The two languages: msgids are English, Vietnamese comes from the compiled catalogue."""

import functools
import gettext
from contextvars import ContextVar

from kiemke.cli.settings import DOMAIN, LOCALE_DIR

_language: ContextVar[str] = ContextVar("language", default="vi")


@functools.cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, str(LOCALE_DIR), languages=[language])


def use(language: str) -> None:
    """Speak this language, "vi" or "en", from now on."""
    _language.set(language)


def language() -> str:
    """Return the language spoken now: "vi" or "en"."""
    return _language.get()


def _(msgid: str) -> str:
    """Return the text in the language spoken now; an empty msgid stays empty."""
    return _catalogue(_language.get()).gettext(msgid) if msgid else ""


def in_languages(msgid: str) -> tuple[str, ...]:
    """Return a text in every language, whichever is spoken."""
    return msgid, _catalogue("vi").gettext(msgid)


def N_(msgid: str) -> str:
    """Mark a text for the catalogue without translating it yet; `_` does that when it is shown."""
    return msgid


def P_(singular: str, plural: str) -> tuple[str, str]:
    """Mark a text that click asks for in two numbers; Vietnamese has one form for both."""
    return singular, plural


def said(msgid: str | None) -> str:
    """Return a text that may be absent, translated; "" for none."""
    return _(msgid) if msgid else ""
