"""What a person types: ``kiemke-collector probe ssh`` and ``kiemke-collector hostkey``."""

import argparse
import asyncio
import getpass
import ipaddress
import socket
import sys
from pathlib import Path

from kiemke.collectors.assignment import check_address
from kiemke.collectors.credentials import FILE_NAME
from kiemke.collectors.errors import ConfigError
from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.login import Host, SshCredential, read_ssh_credentials
from kiemke.collectors.ssh.platforms import PLATFORMS
from kiemke.collectors.tongue import say
from kiemke.collectors.trace import trace_to
from kiemke.wire.secret import Secret

SSH_PORT = 22
DEFAULT_BUDGET_SECONDS = 120.0


def add_probe_options(probe: argparse.ArgumentParser) -> None:
    """Add what only ``probe ssh`` takes."""
    probe.add_argument("--platform", metavar="NAME", help=f"ssh: one of {', '.join(PLATFORMS)}")
    probe.add_argument("--user", metavar="USER", help="ssh: the account; its password is asked for")
    probe.add_argument(
        "--budget",
        type=float,
        default=DEFAULT_BUDGET_SECONDS,
        metavar="SECONDS",
        help=f"ssh: how long the visit may take (default {DEFAULT_BUDGET_SECONDS:g})",
    )


def add_hostkey_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``hostkey list`` and ``hostkey forget HOST``."""
    hostkey = commands.add_parser("hostkey", help="the SSH host keys that are believed")
    verbs = hostkey.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("list", help="show hosts, fingerprints and since when")
    forget = verbs.add_parser("forget", help="believe the next key a replaced device shows")
    forget.add_argument("host", metavar="HOST", help="ADDRESS, or [ADDRESS]:PORT as listed")


def run_hostkey(given: argparse.Namespace) -> int:
    """List or forget pins. Returns 1 when there was nothing to forget."""
    keys = HostKeys(given.state)
    if given.verb == "list":
        for host, pin in sorted(keys.all().items()):
            say(f"{host}  {pin.type}  {pin.fingerprint}  {pin.pinned_at}")
        return 0
    gone = keys.forget(given.host)
    if not gone:
        say(f"{given.host}: no key is pinned; kiemke-collector hostkey list shows those there are")
        return 1
    say(f"forgotten: {', '.join(gone)}; the next key shown is believed")
    return 0


def run_probe(given: argparse.Namespace) -> int:
    """Visit one device now. Returns 1 when not all was had. Raises ConfigError."""
    if len(given.hosts) != 1 or given.targets is not None:
        raise ConfigError("probe ssh visits one HOST at a time")
    if given.platform is None:
        raise ConfigError(f"say --platform: {', '.join(PLATFORMS)}")
    if given.budget <= 0:
        raise ConfigError("--budget must be more than 0 seconds")
    from kiemke.collectors.ssh.probe import probe_ssh  # netmiko: 0.8 s to import

    host = _find_host(given.hosts[0])
    work = probe_ssh(
        host,
        given.platform,
        _find_credential(given),
        HostKeys(_state_of(given.state)),
        budget_seconds=given.budget,
        as_json=given.json,
        trace=trace_to(sys.stderr) if given.debug else _silent,
        out=sys.stdout,
    )
    return 0 if asyncio.run(work) else 1


def _silent(event: str, fields: dict[str, object]) -> None:
    return None


def _state_of(state: Path) -> Path:
    if not state.is_dir():
        raise ConfigError(f"{state}: no such folder for host keys; choose one with --state")
    return state


def _find_credential(given: argparse.Namespace) -> SshCredential:
    """Return the section named, or the user given with a password that is asked for."""
    if given.user is None:
        path = given.state / FILE_NAME
        found = read_ssh_credentials(path)
        name = given.credential or "ssh"
        if name not in found:
            there = ", ".join(sorted(found)) or "none"
            raise ConfigError(
                f'{path}: no [{name}] with kind = "ssh"; there are: {there}; or give --user'
            )
        return found[name]
    if sys.stdin.isatty():
        password = getpass.getpass(f"password of {given.user}: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise ConfigError("no password was given")
    return SshCredential(given.user, Secret(password))


def _find_host(text: str) -> Host:
    """Return the host of ``HOST``, ``HOST:PORT`` or ``[V6]:PORT``. Raises ConfigError."""
    name, colon, port = text.rpartition(":")
    if not colon or (":" in name and not name.startswith("[")):
        name, port = text, str(SSH_PORT)
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ConfigError(f"{text}: the port must be a number from 1 to 65535")
    name = name.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        try:
            name = str(socket.getaddrinfo(name, int(port), type=socket.SOCK_STREAM)[0][4][0])
        except socket.gaierror as err:
            raise ConfigError(f"{name}: name not found; give the address") from err
    try:
        return Host(check_address(name), int(port))
    except ValueError as err:
        raise ConfigError(f"{text}: {err}") from err
