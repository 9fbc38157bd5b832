"""Why a source was set aside is told in the reader's language, with the numbers of the machines."""

import re
from pathlib import Path

from kiemke.cli import i18n
from kiemke.cli.state_reasons import REASONS, told
from kiemke.server.domain.quarantine import ONE_HOST, ONE_INSTALL, SAME_EVIDENCE

SERVER = Path(__file__).parents[2] / "server" / "kiemke" / "server"


def test_reasons_are_told_in_vietnamese_with_what_they_name() -> None:
    i18n.use("vi")

    assert told("one install on machines 3 and 14 by turns: a copied disk") == (
        "một bản cài chạy luân phiên trên máy 3 và máy 14: đĩa bị sao chép"
    )
    assert told("4 agents on one PC: boot_id +100").startswith("4 tác tử trên một máy")
    assert told("máy mượn, xem lại") == "máy mượn, xem lại"  # what a person wrote


def test_every_reason_is_one_the_server_writes() -> None:
    text = " ".join(path.read_text("utf-8") for path in SERVER.rglob("*.py"))
    begun = {"SAME_EVIDENCE": SAME_EVIDENCE, "ONE_INSTALL": ONE_INSTALL, "ONE_HOST": ONE_HOST}
    written = re.sub(r"\{(\w+)\}", lambda name: begun.get(name[1], name[0]), text)
    for reason in REASONS:
        parts = [re.escape(part) for part in re.split(r"\{\w+\}", reason)]
        assert re.search(r"\{[^{}]+\}".join(parts), written), reason
