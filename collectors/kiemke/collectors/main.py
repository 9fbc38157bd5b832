"""The command ``kiemke-collector``."""

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path

from kiemke.collectors.assignment import load_assignment
from kiemke.collectors.credentials import FILE_NAME, read_credentials
from kiemke.collectors.discover.arguments import add_parser as add_discover_parser
from kiemke.collectors.errors import (
    CollectorError,
    ConfigError,
    NotEnrolledError,
    RevokedError,
)
from kiemke.collectors.kept_token import KEPT_FILE, enrol_by_kept_token
from kiemke.collectors.logs import set_up_logs
from kiemke.collectors.relay_command import add_relay_parser, run_relay
from kiemke.collectors.revoked import begin_anew, is_shut_out
from kiemke.collectors.ssh.commands import (
    add_hostkey_parser,
    add_probe_options,
    run_hostkey,
    run_probe,
)
from kiemke.collectors.state import (
    ENROLMENT_FILE,
    OUTBOX_FILE,
    REVOKED,
    REVOKED_WORDS,
    STATUS_FILE,
    default_state,
    enrol_here,
    keep_pins,
    load_enrolment,
    make_state,
    repin_here,
)
from kiemke.collectors.tongue import Parser, in_tongue, say
from kiemke.collectors.traps_command import add_traps_parser, run_traps, told_counts
from kiemke.collectors.windows_service import Bell, add_service_parser, run_service
from kiemke.wire import __version__
from kiemke.wire.clean import clean_text
from kiemke.wire.client import Sender
from kiemke.wire.clocks import SystemClock
from kiemke.wire.enrolment import EnrolmentError, parse_token
from kiemke.wire.mouth import open_mouth
from kiemke.wire.outbox import Outbox, OutboxError, peek
from kiemke.wire.patience import work_once_enrolled
from kiemke.wire.pin import PinError, Pins

log = logging.getLogger(__name__)

EX_CONFIG = 78  # sysexits.h

EXTRA_MODULES = ("pysnmp", "icmplib", "pyasn1", "netmiko", "paramiko", "ntc_templates")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser: argparse.ArgumentParser = Parser(
        prog="kiemke-collector",
        description="Polls network gear by SNMP and SSH, probes lines by ICMP, reports to the server.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--state",
        type=Path,
        default=default_state(),
        metavar="DIR",
        help="folder of enrolment, outbox and credentials (default %(default)s)",
    )
    _add_once(parser, None)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    enroll = commands.add_parser("enroll", help="make this collector known to its server")
    enroll.add_argument("pasted", metavar="TOKEN", help="the token, or - to read it from stdin")
    enroll.add_argument(
        "--repin",
        action="store_true",
        help="believe the token's root certificate; the collector stays the one it is",
    )
    run = commands.add_parser("run", help="poll what the server assigns, until stopped")
    run.add_argument(
        "--wait",
        action="store_true",
        help="not enrolled: wait until somebody has done so (as a service), do not end",
    )
    _add_once(run, argparse.SUPPRESS)
    add_discover_parser(commands)
    commands.add_parser("status", help="show what the collector does")
    probe = commands.add_parser("probe", help="ask devices what they are, now")
    probe.add_argument("protocol", choices=("snmp", "ssh"), help="how to ask")
    probe.add_argument("hosts", nargs="*", metavar="HOST", help="ADDRESS, name or HOST:PORT")
    probe.add_argument(
        "--targets",
        type=Path,
        metavar="FILE",
        help='file of JSON objects, one a line: {"host", "port", "community", "id"}',
    )
    probe.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_probe_options(probe)
    _add_debug(probe, argparse.SUPPRESS)
    add_hostkey_parser(commands)
    add_relay_parser(commands)
    add_traps_parser(commands)
    add_service_parser(commands)
    return parser


def _add_debug(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--credential", metavar="NAME", default=default, help="section of credentials.toml to use"
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=default if default is not None else False,
        help="show every request, decision and timing on standard error",
    )


def _add_once(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--once",
        metavar="TARGET",
        default=default,
        help="poll one address, ADDRESS:PORT or assigned device id and print its reports as JSON",
    )
    _add_debug(parser, default)


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0, 1 when a poll failed, 2 when something has to be put right.

    ``run`` returns 78 when it is not enrolled, or not any more, and is not to wait for that.
    """
    parser = make_parser()
    given = parser.parse_args(arguments)
    set_up_logs(debug=given.debug)
    try:
        return _do(parser, given)
    except BrokenPipeError:
        # `kiemke-collector … | head`: the reader has had enough. Keep Python from saying so again.
        sys.stdout = None
        return 0


def _do(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    try:
        if given.once is not None:
            return _once(given)
        if given.command == "enroll":
            return _enroll(given)
        if given.command == "run":
            return wait_and_run(given.state) if given.wait else _run(given.state)
        if given.command == "status":
            return _status(given.state)
        if given.command == "probe":
            return run_probe(given) if given.protocol == "ssh" else _probe(given)
        if given.command == "discover":
            from kiemke.collectors.discover.commands import run  # pysnmp: 0.2 s to import

            return run(given)
        if given.command == "hostkey":
            return run_hostkey(given)
        if given.command == "relay":
            return run_relay(given)
        if given.command == "traps":
            return run_traps(given)
        if given.command == "service":
            return run_service(given, lambda bell: wait_and_run(given.state, bell))
    except CollectorError as err:
        # The text may hold words of a server or a file: nothing in it may move the cursor.
        _complain(clean_text(str(err)))
        is_new = given.command in ("run", "service") and isinstance(err, NotEnrolledError)
        return EX_CONFIG if is_new else 2
    except ModuleNotFoundError as err:
        if err.name is None or err.name.partition(".")[0] not in EXTRA_MODULES:
            raise
        words = f'{err.name} is missing: run pip install "kiemke[collectors]"'
        _complain(words)
        return 2
    parser.print_help()
    return 2


def _complain(words: str) -> None:
    open_mouth()
    print(f"kiemke-collector: {in_tongue(words)}", file=sys.stderr)


def _enroll(given: argparse.Namespace) -> int:
    text = sys.stdin.read() if given.pasted == "-" else given.pasted
    try:
        token = parse_token(text)
    except EnrolmentError as err:
        raise ConfigError(str(err)) from err
    if given.repin:
        pinned = repin_here(given.state, token)
        say(f"{pinned.source} believes the server's new root; start kiemke-collector run again")
        return 0
    enrolled = enrol_here(given.state, token)
    say(f"enrolled as {enrolled.source} ({enrolled.server_state}) at {enrolled.addresses[0]}")
    say(f"next: kiemke-collector run; secrets come from the server, or from {FILE_NAME} (--help)")
    say("where it runs as a service, that begins by itself within seconds")
    return 0


def _once(given: argparse.Namespace) -> int:
    from kiemke.collectors.once import find_target, poll_once  # pysnmp: 0.2 s to import

    task = find_target(given.once, given.credential, given.state)
    path = given.state / FILE_NAME
    is_upnp = task.credential == "upnp"
    credentials = {} if is_upnp and not path.exists() else read_credentials(path)
    if not is_upnp and task.credential not in credentials:
        names = ", ".join(sorted(credentials)) or "none"
        raise ConfigError(f"{given.state / FILE_NAME}: no [{task.credential}]; there are: {names}")
    outcome = asyncio.run(poll_once(task, credentials, debug=given.debug, out=sys.stdout))
    return 0 if outcome == "ok" else 1


def _probe(given: argparse.Namespace) -> int:
    from kiemke.collectors import probe  # pysnmp: 0.2 s to import

    path = given.state / FILE_NAME
    credentials = read_credentials(path) if given.hosts or path.exists() else {}
    targets = probe.read_targets(given.targets, credentials) if given.targets else []
    for host in given.hosts:
        name = given.credential or "default"
        credential = probe.find_credential(name, credentials, str(path))
        targets.append(probe.split_host(host, credential))
    if not targets:
        raise ConfigError("nothing to ask: give a HOST or --targets FILE")
    work = probe.probe_all(targets, as_json=given.json, debug=given.debug, out=sys.stdout)
    return 1 if asyncio.run(work) else 0


def wait_and_run(state: Path, bell: Bell | None = None) -> int:
    """Poll as a service does: wait for a token or an enrolment where there is none. Raises CollectorError."""

    def work() -> int:
        if bell is not None:
            enrol_by_kept_token(state, bell.wait)
        was_shut_out = is_shut_out(state)
        try:
            return _run(state, bell)
        except RevokedError:
            if not was_shut_out:  # just now: it had credentials in its memory
                begin_anew(state)
            raise

    def tell(err: Exception) -> None:
        log.warning("waiting to be enrolled", extra={"reason": str(err)})

    def wait(seconds: float) -> bool:
        if bell is not None:
            return bell.wait(seconds)
        time.sleep(seconds)  # SIGTERM ends it, as it is
        return False

    files = [state / ENROLMENT_FILE, state / KEPT_FILE]
    try:
        return work_once_enrolled(work, NotEnrolledError, files, wait, tell)
    except KeyboardInterrupt:
        return 0


def _run(state: Path, bell: Bell | None = None) -> int:
    """Poll until a signal, or until ``bell`` is rung. Raises CollectorError."""
    make_state(state)
    credentials = load_enrolment(state).credentials()
    clock = SystemClock.read()
    try:
        outbox = Outbox(state / OUTBOX_FILE, clock)
    except OutboxError as err:
        raise ConfigError(str(err)) from err

    def keep(pins: Pins) -> None:
        # A disk that cannot is told: the server announces the root again after the next start.
        try:
            keep_pins(state, pins)
        except ConfigError as err:
            log.error("root certificate not kept", extra={"reason": str(err)})

    try:
        sender = Sender(outbox, credentials, clock, on_pins=keep)
    except PinError as err:
        outbox.close()
        raise ConfigError(f"{err}; enrol this collector again") from err

    async def work() -> None:
        from kiemke.collectors.reporter import Reporter
        from kiemke.collectors.service import Collector  # pysnmp: 0.2 s to import

        stop = asyncio.Event()
        if bell is not None:
            bell.attach(stop)
        elif sys.platform != "win32":  # there Ctrl-C cancels the run, which ends in order too
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            await Collector(state, Reporter(outbox, sender, clock)).run(stop)
        finally:
            if bell is not None:
                bell.detach()

    try:
        asyncio.run(work())
    finally:
        sender.close()
        outbox.close()
    return 0


def _status(state: Path) -> int:
    enrolment = load_enrolment(state)
    if enrolment.server_state == REVOKED:
        say(f"source      {enrolment.source} (revoked)")
        say(f"trouble     {REVOKED_WORDS}")
        return 1
    source = enrolment.source or "not answered yet"
    say(f"source      {source} ({enrolment.server_state or 'unknown'})")
    say(f"server      {', '.join(map(str, enrolment.addresses)) or 'none'}")
    assignment = load_assignment(state)
    if assignment is None:
        say("assignment  none yet")
    else:
        say(
            f"assignment  {len(assignment.devices)} devices, {len(assignment.probes)} probes, "
            f"every {assignment.poll_seconds:g} s"
        )
    counts = peek(state / OUTBOX_FILE)
    if counts is not None:
        say(f"outbox      {counts.reports} reports wait, {counts.dead} set aside")
    try:
        status = json.loads((state / STATUS_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        say("run         not running yet")
        return 0
    if passing := status.get("relay"):
        say(
            f"relay       {passing['listen']}, {passing['open']} open, {passing['passed']} passed, "
            f"{passing['refused']} refused, {passing['unreachable']} while the server was away"
        )
    if awaited := status.get("traps"):
        came = told_counts(awaited["counts"])
        say(f"traps       {awaited['listen']}, {came or 'none yet'}")
    if status["last_post"]:
        post = status["last_post"]
        words = (in_tongue(post["outcome"]), in_tongue(clean_text(post["detail"])))
        say(f"last post   {clean_text(': '.join(filter(None, words)))}")
    for words in [status["trouble"], *status["refused"]]:
        if words:
            say(f"trouble     {clean_text(words)}")
    for key, told in sorted(status.get("sweeps", {}).items()):
        print(f"{key:11} {in_tongue(told)}")
    for key, turns in sorted(status["targets"].items()):
        outcome = in_tongue(turns["outcome"] or "waiting")
        skipped = f", {turns['skipped']} skipped" if turns["skipped"] else ""
        polls = f"{turns['done']} polls{skipped}"
        print(f"{key:11} {outcome}, {in_tongue(polls)}")
    for device, outcome in sorted(status.get("visits", {}).items()):
        print(f"visit:{device:5} {in_tongue(outcome)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
