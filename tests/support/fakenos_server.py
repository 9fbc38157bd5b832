"""Runs fakenos in a process of its own: its threads are many and end when they like.

Arguments: a first port, then names of platforms, one port each. Says "ready", and ends with its standard
input.
"""

import sys

from fakenos import FakeNOS


def main() -> None:
    """Serve until standard input ends."""
    first, *platforms = sys.argv[1:]
    hosts = {
        name.replace("_", ""): {
            "username": "kiemke",
            "password": "pass",
            "port": int(first) + place,
            "platform": name,
        }
        for place, name in enumerate(platforms)
    }
    net = FakeNOS(inventory={"hosts": hosts})
    net.start()
    print("ready", flush=True)
    sys.stdin.read()
    net.stop()


if __name__ == "__main__":
    main()
