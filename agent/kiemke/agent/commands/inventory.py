"""`kiemke-agent inventory`: what the agent would report of this machine, as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from kiemke.agent.files import StateError
from kiemke.agent.host import open_host
from kiemke.agent.sensors.reading import read_all
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import say


def run(state: Path, root: Path) -> int:
    """Print every section with its status and rows; nothing is sent or stored. Return 0.

    ``root`` other than / reads a recorded machine.
    """
    try:
        known = StateFolder(state).identity()
    except StateError:
        known = None  # not root: the inventory is shown all the same
    readings = read_all(open_host(root, known.install_id if known else "", state))
    shown = {name: asdict(reading) for name, reading in readings.items()}
    say(json.dumps(shown, ensure_ascii=False, indent=1))
    return 0
