"""The agent's own work, done by the interpreter and the files an office PC has; told as JSON lines.

``python3 -I lightness_agent.py TREE STATE PROXY_PORT``, started by ``bench.lightness``: it samples, posts by
the parent's proxy, and says before and after each post so that the parent may count what passed.
"""

import gzip
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiemke.agent.courier import Courier
    from kiemke.agent.loop import Agent
    from kiemke.wire.client import Sender

SAMPLES = 200
POSTS = 6
ROUNDS = 60
SAMPLES_A_POST = 5


def main() -> int:
    """Do the work; the imports are of the tree that was named."""
    tree, state, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    sys.path.insert(0, tree)
    from kiemke.agent.courier import Courier
    from kiemke.agent.host import Host
    from kiemke.agent.loop import Agent
    from kiemke.agent.sensors import reach
    from kiemke.agent.state import StateFolder
    from kiemke.wire.client import Credentials, Sender
    from kiemke.wire.clocks import SystemClock
    from kiemke.wire.outbox import Outbox
    from kiemke.wire.pin import Address

    folder = StateFolder(state)
    identity = folder.identity()
    assert identity is not None
    known = identity.credentials()
    known = Credentials(known.source, known.secret, (Address("127.0.0.1", port),), known.pins)
    clock = SystemClock.read()
    outbox = Outbox(folder.outbox_path, clock)
    agents: list[Agent] = []
    sender = Sender(outbox, known, clock, on_answer=lambda answer: agents[0].heed(answer))
    host = Host(install_id=identity.install_id, folder=folder.path)
    # Both echoes as it sends them, but to this machine: a gateway that is slow to answer is no cost of the agent's.
    near = {"gateway": "127.0.0.1", "server": "127.0.0.1"}
    agent = Agent(
        folder, host, clock, outbox, sender, reach=lambda: tuple(reach.ping(near)) or None
    )
    agents.append(agent)
    courier = Courier(sender, lambda: 300.0, lambda attempt: None)

    agent._begin()
    agent._take_inventory()
    biggest = max(outbox.head(100, 1 << 30), key=lambda one: len(one.body))
    told: dict[str, object] = {"inventory_gzip_bytes": len(gzip.compress(biggest.body, 6))}
    sender.drain(60.0)
    for _ in range(3):
        agent._take_sample(courier)
    sender.drain(60.0)
    began = time.process_time()
    for _ in range(SAMPLES):
        agent._take_sample(courier)
    told["cpu_seconds_a_sample"] = (time.process_time() - began) / SAMPLES
    sender.drain(60.0)
    told["cpu_seconds_a_round"] = _a_round(agent, courier, sender)
    for _ in range(POSTS):
        os.getpgid(0)  # a mark in the trace of system calls
        for _ in range(SAMPLES_A_POST):
            agent._take_sample(courier)
        _say({"post": "before"})
        agent.note_attempt(sender.post_once())
        _say({"post": "after"})
    os.getpgid(0)
    _say(told)
    agent.close()
    sender.close()
    outbox.close()
    return 0


def _a_round(agent: "Agent", courier: "Courier", sender: "Sender") -> float:
    """Return the processor seconds of five minutes' schedule without its waits: five samples, their spooling
    and pings, one post, its answer, the status file.
    """
    began = time.process_time()
    for _ in range(ROUNDS):
        for _ in range(SAMPLES_A_POST):
            agent._take_sample(courier)
        agent.note_attempt(sender.post_once())
    return (time.process_time() - began) / ROUNDS


def _say(what: object) -> None:
    """Tell the parent and wait until it has looked."""
    print(json.dumps(what), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    sys.exit(main())
