"""`kiemke-collector traps`: whether traps of devices are awaited, and where; off until it is said."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.files import write_private
from kiemke.collectors.relay_command import parse_listen
from kiemke.collectors.state import STATUS_FILE
from kiemke.collectors.tongue import in_tongue, say
from kiemke.wire.pin import Address

FILE_NAME = "traps.json"
TRAP_PORT = 162


def load_listen(state: Path) -> Address | None:
    """Return where traps are awaited, None when that is off. Raises ConfigError for a damaged file."""
    path = state / FILE_NAME
    try:
        said = json.loads(path.read_text("utf-8"))
        return Address(str(said["host"]), int(said["port"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise ConfigError(
            f"{path}: cannot be read ({type(err).__name__}); run kiemke-collector traps on"
        ) from err


def save_listen(state: Path, listen: Address | None) -> None:
    """Keep where to listen for the running collector, None for nowhere. Raises ConfigError."""
    path = state / FILE_NAME
    try:
        if listen is None:
            path.unlink(missing_ok=True)
        else:
            write_private(path, json.dumps(asdict(listen)))
    except OSError as err:
        raise ConfigError(f"{path}: cannot be written ({err.strerror}); run as its owner") from err


def add_traps_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    traps = commands.add_parser("traps", help="poll devices at once when they send a trap")
    traps.add_argument("switch", nargs="?", choices=("on", "off"), help="without: show")
    traps.add_argument(
        "--listen", metavar="[ADDRESS:]PORT", default=f"0.0.0.0:{TRAP_PORT}",
        help="where devices send them, by UDP (default %(default)s)",
    )  # fmt: skip


def run_traps(given: argparse.Namespace) -> int:
    """Show or switch the listening; the running collector heeds it within seconds. Raises ConfigError."""
    state: Path = given.state
    if given.switch == "on":
        save_listen(state, parse_listen(given.listen))
    elif given.switch == "off":
        save_listen(state, None)
    kept = load_listen(state)
    if kept is None:
        say("traps  off")
        return 0
    say(f"traps  {kept.host}:{kept.port}, SNMP v1, v2c and v3, of assigned devices only")
    say("       a trap makes its device be polled; only one signed by v3 is an event by itself")
    try:
        said = json.loads((state / STATUS_FILE).read_text("utf-8"))["traps"]["counts"]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    say(f"       {told_counts(said) or 'none'}")
    return 0


def told_counts(counts: Mapping[str, int]) -> str:
    """Return what became of the traps so far, in the reader's language; "" when none came."""
    return ", ".join(in_tongue(f"{count} {name}") for name, count in sorted(counts.items()))
