"""Login accounts as evidence of who sits at a PC: one spelling, and those that stand for nobody."""

import tomllib
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from kiemke.server.domain.rules import Rules, UnusableRule

RULE = "accounts_of_nobody"


@lru_cache(maxsize=1)
def _shipped() -> frozenset[str]:
    text = files("kiemke.server.domain").joinpath("coverage_accounts.toml").read_text("utf-8")
    return frozenset(tomllib.loads(text)["nobody"])


def nobody(law: Rules) -> frozenset[str]:
    """Return the accounts that stand for no person: those that ship and those of the day's rule.

    Raises UnusableRule when the rule is no list of names.
    """
    names = law.value(RULE)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UnusableRule(f"rule {RULE!r} must be a list of names: {names!r}")
    return _shipped() | {key for key in map(_bare, names) if key}


def _bare(account: str) -> str:
    bare = unicodedata.normalize("NFC", account).rpartition("\\")[2].partition("@")[0]
    return " ".join(bare.casefold().split())[:100]


def account_key(account: str | None, nobodies: frozenset[str]) -> str | None:
    r"""Return the bare account in one spelling: ``HD\An.Nguyen`` and ``an.nguyen@hd`` are one.

    None for no account and for one of ``nobodies`` (see ``nobody``).
    """
    key = "" if account is None else _bare(account)
    return None if not key or key in nobodies else key


def main_account(user_slots: Mapping[str, int], nobodies: frozenset[str]) -> str | None:
    """Return the account with the most slots of a day among those of persons, None when nobody's.

    Spellings of one account add up; of equals the first in alphabetical order wins.
    """
    slots: dict[str, int] = {}
    for account, count in user_slots.items():
        key = account_key(account, nobodies)
        if key is not None and count > 0:
            slots[key] = slots.get(key, 0) + count
    return min(slots, key=lambda key: (-slots[key], key)) if slots else None
