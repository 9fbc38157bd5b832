"""`kiemke-agent claim`: shows, says or takes back who uses this PC and what its sticker says."""

from datetime import datetime
from pathlib import Path

from kiemke.agent.claim import is_empty, read_claim, save_claim
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import say
from kiemke.agent.words import Both, speak
from kiemke.wire.claim import ClaimedHolder
from kiemke.wire.clean import clean_text
from kiemke.wire.mouth import open_mouth

NOBODY = Both("chưa ai được ghi là dùng máy này", "nobody is said to use this PC")
STICKER = Both("tem {tag}", "sticker {tag}")
CLAIMED = Both("{told}, khai ngày {day}", "{told}, said on {day}")


def run(state: Path, holder: str, code: str, tag: str, *, forget: bool) -> int:
    """Write the answer if one is given, and show it; return 0. Raises StateError."""
    folder = StateFolder(state)
    name, number, sticker = (clean_text(text, 200) or None for text in (holder, code, tag))
    if forget or name or number or sticker:
        folder.prepare()
        today = None if forget else datetime.now().astimezone().date().isoformat()
        claim = ClaimedHolder() if forget else ClaimedHolder(name, number, sticker, today)
        save_claim(folder.path, claim)
    open_mouth()
    found = read_claim(folder.path)
    if found is None or is_empty(found):
        say(speak(NOBODY))
        return 0
    parts = [
        found.holder,
        found.code and f"({found.code})",
        found.tag and speak(STICKER, tag=found.tag),
    ]
    told = " ".join(part for part in parts if part)
    say(speak(CLAIMED, told=told, day=found.claimed_on))
    return 0
