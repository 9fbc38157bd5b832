"""`kiemke-agent probe`: one question that might hang or crash, asked in a process of its own."""

import json
from collections.abc import Sequence

from kiemke.agent.terminal import complain, say

FAILED = 1


def run(name: str, words: Sequence[str]) -> int:
    """Print the answer as JSON; return 0, or 1 when there is none."""
    # Windows' objects: nowhere else is there anything to load.
    from kiemke.agent.windows import com

    try:
        found: object = com.antivirus() if name == "antivirus" else com.bitlocker(list(words))
    except (OSError, AttributeError) as err:
        complain(f"probe {name}: {err}")
        return FAILED
    say(json.dumps(found))
    return 0
