"""Login accounts as evidence of who sits at a PC: one spelling, and those that stand for nobody."""

import tomllib
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def nobody() -> frozenset[str]:
    """Return the accounts that stand for no person (``coverage_accounts.toml``)."""
    text = files("kiemke.server.domain").joinpath("coverage_accounts.toml").read_text("utf-8")
    return frozenset(tomllib.loads(text)["nobody"])


def account_key(account: str | None) -> str | None:
    r"""Return the bare account in one spelling: ``HD\An.Nguyen`` and ``an.nguyen@hd`` are one.

    None for no account and for one that stands for nobody.
    """
    if account is None:
        return None
    bare = unicodedata.normalize("NFC", account).rpartition("\\")[2].partition("@")[0]
    key = " ".join(bare.casefold().split())[:100]
    return None if not key or key in nobody() else key


def main_account(user_slots: Mapping[str, int]) -> str | None:
    """Return the account with the most slots of a day among those of persons, None when nobody's.

    Spellings of one account add up; of equals the first in alphabetical order wins.
    """
    slots: dict[str, int] = {}
    for account, count in user_slots.items():
        key = account_key(account)
        if key is not None and count > 0:
            slots[key] = slots.get(key, 0) + count
    return min(slots, key=lambda key: (-slots[key], key)) if slots else None
