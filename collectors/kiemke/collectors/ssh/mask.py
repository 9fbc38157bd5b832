"""Taking the secrets out of a configuration before it leaves the collector, and telling real changes.

Every rule replaces what its group ``secret`` matched by ``***``: first the platform's own, then the
general ones, which know the words under which secrets stand anywhere. Rather one word too many is
masked than one secret too few.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from kiemke.collectors.ssh.platform import Platform, Rule, load_general

MASK = "***"


@dataclass(frozen=True, slots=True)
class Masked:
    """A configuration without its secrets. ``digest`` leaves the volatile lines out."""

    text: str
    count: int
    digest: str


def mask(text: str, platform: Platform) -> Masked:
    """Return a configuration that may leave the collector."""
    general = load_general()
    count = 0

    def hide(match: re.Match[str]) -> str:
        nonlocal count
        start, end = (place - match.start() for place in match.span("secret"))
        whole = match.group()
        secret = whole[start:end]
        if secret.strip("\"';,") in general.harmless:
            return whole
        count += 1
        line_end = "\n" if secret.endswith("\n") else ""
        quote = secret[0] if len(secret) > 1 and secret[0] == secret[-1] == '"' else ""
        return f"{whole[:start]}{quote}{MASK}{quote}{line_end}{whole[end:]}"

    text = _plain_lines(text)
    for rule in (*general.blocks, *platform.secrets, *general.secrets):
        text = _apply(rule, text, hide)
    return Masked(text, count, digest(text, platform))


def _apply(rule: Rule, text: str, hide: Callable[[re.Match[str]], str]) -> str:
    if rule.within is None:
        return rule.pattern.sub(hide, text)
    return rule.within.sub(lambda block: rule.pattern.sub(hide, block.group()), text)


def digest(text: str, platform: Platform) -> str:
    """Return the SHA-256 of all lines but those that change by themselves and empty ones."""
    kept = [
        line.rstrip()
        for line in text.splitlines()
        if line.strip() and not any(each.search(line) for each in platform.volatile)
    ]
    return sha256("\n".join(kept).encode()).hexdigest()


def _plain_lines(text: str) -> str:
    """Return text with plain line ends, as rules over lines need it; a lone return draws over its line."""
    lines = (line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
