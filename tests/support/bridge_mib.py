"""BRIDGE-MIB of this machine's Linux bridges for net-snmp, which has none: ``pass_persist`` of snmpd.conf(5).

Answers what iproute2's ``bridge`` says the kernel learned, with interfaces' indexes as port numbers.
"""

import json
import socket
import subprocess
import sys

BASE = (1, 3, 6, 1, 2, 1, 17)
IF_INDEX = (*BASE, 1, 4, 1, 2)  # dot1dBasePortIfIndex
PORT, STATUS = (*BASE, 4, 3, 1, 2), (*BASE, 4, 3, 1, 3)  # dot1dTpFdbPort, dot1dTpFdbStatus
LEARNED, OWN = 3, 4


def read() -> dict[tuple[int, ...], int]:
    """Return the objects in order."""
    said = subprocess.run(["bridge", "-j", "fdb", "show"], capture_output=True, check=True).stdout
    objects: dict[tuple[int, ...], int] = {}
    for row in json.loads(said):
        if "master" not in row or row["ifname"] == row["master"]:
            continue
        index = socket.if_nametoindex(row["ifname"])
        mac = tuple(bytes.fromhex(row["mac"].replace(":", "")))
        objects[(*IF_INDEX, index)] = index
        objects[(*PORT, *mac)] = index
        objects[(*STATUS, *mac)] = OWN if row.get("state") == "permanent" else LEARNED
    return dict(sorted(objects.items()))


def answer(verb: str, oid: tuple[int, ...]) -> str:
    """Return the lines of one answer."""
    objects = read()
    if verb == "getnext":
        oid = next((name for name in objects if name > oid), ())
    if oid not in objects:
        return "NONE"
    return f".{'.'.join(map(str, oid))}\ninteger\n{objects[oid]}"


def main() -> None:
    """Answer until snmpd closes the pipe."""
    for line in iter(sys.stdin.readline, ""):
        verb = line.strip()
        if verb == "PING":
            said = "PONG"
        else:
            oid = sys.stdin.readline().strip().strip(".")
            said = answer(verb, tuple(map(int, oid.split("."))))
        print(said, flush=True)


if __name__ == "__main__":
    main()
