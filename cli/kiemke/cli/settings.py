"""What the command line reads from its environment: the language and where the session is kept."""

import contextlib
import gettext
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("vi", "en")
DOMAIN = "kiemke"
LOCALE_DIR = Path(__file__).parent / "locale"

# Name, default, sentence. Tests point KIEMKE_CONFIG_DIR at a folder of their own.
SETTINGS = (
    ("KIEMKE_CONFIG_DIR", "~/.config/kiemke", "Folder of the session file (token and pinned CA)."),
    ("KIEMKE_LANG", "vi", "Language of the texts, vi or en; else LC_ALL, LC_MESSAGES, LANG."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment as the command line sees it, read once."""

    config_dir: Path
    language: str


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process. An unset or strange language is Vietnamese."""
    env = os.environ if environ is None else environ
    return Settings(config_dir=_config_dir(env), language=_language(env))


def _config_dir(env: Mapping[str, str]) -> Path:
    if given := env.get("KIEMKE_CONFIG_DIR"):
        return Path(given)
    base = env.get("APPDATA") if sys.platform == "win32" else env.get("XDG_CONFIG_HOME")
    return Path(base) / "kiemke" if base else Path.home() / ".config" / "kiemke"


def _language(env: Mapping[str, str]) -> str:
    for name in ("KIEMKE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := env.get(name):
            # The first variable that is set decides, as POSIX orders them; "C" is not English.
            return "en" if value.lower().startswith("en") else "vi"
    return "vi"


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Make click's own sentences come from our catalogue while the block runs.

    click asks gettext.gettext, which knows its language from LANGUAGE alone.
    """
    before_domain, before = gettext.textdomain(), os.environ.get("LANGUAGE")
    gettext.bindtextdomain(DOMAIN, str(LOCALE_DIR))
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = language
    try:
        yield
    finally:
        gettext.textdomain(before_domain)
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before
