"""`kiemke-collector relay`: agents of the site may pass through this collector, or may no longer."""

import argparse
from pathlib import Path

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.relay import (
    CONNECTIONS,
    IDLE_SECONDS,
    LISTEN,
    RelaySettings,
    load_relay,
    save_relay,
)
from kiemke.collectors.state import load_enrolment
from kiemke.collectors.tongue import say
from kiemke.wire.pin import Address


def add_relay_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    relay = commands.add_parser(
        "relay", help="let the site's agents reach the server through this collector"
    )
    relay.add_argument("switch", nargs="?", choices=("on", "off"), help="without: show")
    relay.add_argument(
        "--listen", metavar="[ADDRESS:]PORT", default=f"{LISTEN.host}:{LISTEN.port}",
        help="where agents come in (default %(default)s)",
    )  # fmt: skip
    relay.add_argument(
        "--connections", type=int, default=CONNECTIONS, metavar="N",
        help="most at a time (default %(default)s)",
    )  # fmt: skip
    relay.add_argument(
        "--idle", type=float, default=IDLE_SECONDS, metavar="SECONDS",
        help="a connection on which nothing passes is closed after this (default %(default)g)",
    )  # fmt: skip


def run_relay(given: argparse.Namespace) -> int:
    """Show or switch the relay; the running collector heeds it within seconds. Raises ConfigError."""
    state: Path = given.state
    servers = load_enrolment(state).addresses
    if given.switch == "on":
        settings = RelaySettings(parse_listen(given.listen), given.connections, given.idle)
        save_relay(state, settings)
    elif given.switch == "off":
        save_relay(state, None)
    kept = load_relay(state)
    if kept is None:
        say("relay  off")
        return 0
    say(f"relay  {kept.listen.host}:{kept.listen.port} to {', '.join(map(str, servers))}")
    say(f"       {kept.connections} connections, each closed after {kept.idle_seconds:g} s idle")
    say("       open to the site's registered subnets (kiemke site subnet list), nobody else")
    return 0


def parse_listen(text: str) -> Address:
    """Return where to listen. Raises ConfigError."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ConfigError(f"{text!r}: give a port, or ADDRESS:PORT, such as 10.5.9.2:8443")
    return Address(host.strip("[]") or LISTEN.host, int(port))
