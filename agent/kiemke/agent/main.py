"""The command line of kiemke-agent. A command's code is loaded only when it is called."""

import sys
from collections.abc import Callable, Sequence

TYPE_CHECKING = False  # not typing's: nothing that has a stand-in may be loaded before it stands
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from kiemke.agent.halt import Halt

EX_CONFIG = 78  # sysexits.h: not enrolled; starting the service again does not help
SPREAD_SECONDS = 30.0
OUTBOX_MB = 64.0
SERVE = "serve"  # what `run` becomes: its words are ours, and need no parser
LINUX_STATE = "/var/lib/kiemke-agent"

EPILOG = """examples:
  kiemke-agent enroll TOKEN        make this machine known to the server
  kiemke-agent enroll - <FILE      the same; the token is not seen in the list of processes
  kiemke-agent run                 the service itself
  kiemke-agent inventory           show what is reported, send nothing
  kiemke-agent inventory --diff    what changed since it was told
  kiemke-agent status              is all well?
  kiemke-agent doctor              why not, and what to do
  kiemke-agent server --first https://10.5.9.2:8443   by the relay of this site
  kiemke-agent privacy --off wifi_name   what is told about persons, and its switches
  kiemke-agent seal --token TOKEN  before this PC's disk is imaged
  kiemke-agent update show         which releases are trusted, what came of the last
  kiemke-agent decode edid /sys/class/drm/card0-HDMI-A-1/edid
"""


def default_state() -> "Path":
    """Return the folder of the agent's own files: below ProgramData on Windows."""
    if sys.platform == "win32":
        # A megabyte that only Windows needs.
        from kiemke.wire.windows_service.folders import program_data

        return program_data() / "kiemke-agent"
    from pathlib import Path

    return Path(LINUX_STATE)


def parser() -> "ArgumentParser":
    """Return the parser of the whole command line."""
    # The service itself runs without: see ``start_over``.
    import argparse
    from pathlib import Path

    top = argparse.ArgumentParser(
        prog="kiemke-agent",
        description="Counts this machine and tells the kiemke server. It opens no port.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version and end")
    default = default_state()
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, words: str, *, state: bool = True) -> "ArgumentParser":
        one = commands.add_parser(name, help=words, description=words)
        if state:
            one.add_argument(
                "--state", type=Path, default=default, metavar="DIR",
                help="folder of the agent's own files (default: %(default)s)",
            )  # fmt: skip
        return one

    _enroll_options(command("enroll", "make this machine known to the server"))
    _run_options(command("run", "run the service"))
    _setup_options(command("setup", "prepare this machine for the service; it enrols when it runs"))
    _seal_options(command("seal", "make this PC a master to be imaged; each clone enrols itself"))
    _inventory_options(command("inventory", "print what would be reported; send nothing"))
    command("status", "say whether all is well, or what to do")
    doctor = command("doctor", "check name, line, certificate, clock, rights, disk; say what to do")
    doctor.add_argument("--json", action="store_true", help="for programs")
    _server_options(command("server", "show or change the addresses of the server"))
    privacy = command("privacy", "show or switch what is told about persons")
    for way, words in (("off", "stop telling this item"), ("on", "tell this item again")):
        privacy.add_argument(f"--{way}", action="append", default=[], metavar="ITEM", help=words)
    _update_options(command("update", "renew this program by signed releases"))
    _claim_options(command("claim", "show or say who uses this PC; it counts nowhere"))
    kit = command("kit", "ask and enrol, from a USB stick (CAI-DAT.cmd starts this)")
    kit.add_argument("folder", type=Path, metavar="FOLDER", help="the stick's folder")
    command("service", "be the Windows service (its manager alone starts this)")
    commands.add_parser("sense", description="Run the sensors for the service (its own child).")
    _probe_options(commands.add_parser("probe", description="Ask what might hang (own child)."))
    decode = command("decode", "decode recorded files, one JSON a line", state=False)
    decode.add_argument("kind", choices=("edid", "smbios", "one-shot"))
    decode.add_argument("files", nargs="+", metavar="FILE")
    return top


def _enroll_options(enroll: "ArgumentParser") -> None:
    """Add the token and what is taken of it."""
    enroll.add_argument("token", help='the token; "-" reads it from standard input')
    enroll.add_argument(
        "--repin", action="store_true",
        help="believe the token's root certificate; the machine stays the one it is",
    )  # fmt: skip


def _inventory_options(inventory: "ArgumentParser") -> None:
    """Add which machine is read and what is shown of it."""
    from pathlib import Path

    inventory.add_argument(
        "--root", type=Path, default=Path("/"), metavar="DIR",
        help="read a recorded machine's files under DIR",
    )  # fmt: skip
    inventory.add_argument(
        "--one-shot", type=Path, metavar="FILE", help="write the file of `kiemke machine import`"
    )
    inventory.add_argument("--diff", action="store_true", help="what changed since it was told")


def _setup_options(setup: "ArgumentParser") -> None:
    """Add what an installer gives."""
    setup.add_argument("--token", default="", metavar="TOKEN", help="the token to enrol with")
    setup.add_argument(
        "--token-file", default="", metavar="FILE", help="file that holds it; deleted after use"
    )
    setup.add_argument(
        "--update-key", default="", metavar="KEY", help="trust this key's releases of the agent"
    )
    setup.add_argument(
        "--package", default="", metavar="FILE",
        help="Windows: the installer itself, kept as the way back from a later release",
    )  # fmt: skip
    setup.add_argument(
        "--uninstall", action="store_true",
        help="Windows: take away the scheduled task, before the program goes",
    )  # fmt: skip


def _seal_options(seal: "ArgumentParser") -> None:
    """Add by which token clones enrol, and whether they forget."""
    seal.add_argument("--token", default="", metavar="TOKEN", help="the token clones enrol with")
    seal.add_argument("--token-file", default="", metavar="FILE", help="file that holds it")
    seal.add_argument(
        "--frozen", action="store_true",
        help="the PC forgets all at each start (Deep Freeze, kiosk): it stays one source",
    )  # fmt: skip


def _probe_options(probe: "ArgumentParser") -> None:
    """Add what the sensors ask their child."""
    probe.add_argument("name", choices=("antivirus", "bitlocker"))
    probe.add_argument("words", nargs="*")


def _server_options(server: "ArgumentParser") -> None:
    """Add how the list of addresses is changed."""
    for way, words in (
        ("first", "try this address, such as a relay's, before the others"),
        ("also", "try this address after the others"),
        ("forget", "do not try this address any more"),
    ):
        server.add_argument(f"--{way}", action="append", default=[], metavar="URL", help=words)


def _claim_options(claim: "ArgumentParser") -> None:
    """Add what may be said of this PC."""
    for name, words in (
        ("holder", "the person's name"), ("code", "the person's code"), ("tag", "the sticker"),
    ):  # fmt: skip
        claim.add_argument(f"--{name}", default="", metavar="TEXT", help=words)
    claim.add_argument("--forget", action="store_true", help="take back what was said")


def _run_options(run: "ArgumentParser") -> None:
    """Add what the service may be told."""
    run.add_argument("--once", action="store_true", help="one inventory, one sample, then end")
    run.add_argument(
        "--spread", type=float, default=SPREAD_SECONDS, metavar="SECONDS",
        help="first post within this time, at random (default: %(default)s)",
    )  # fmt: skip
    run.add_argument(
        "--outbox-mb", type=float, default=OUTBOX_MB, metavar="MB",
        help="most that waiting reports may take (default: %(default)s)",
    )  # fmt: skip


def _update_options(update: "ArgumentParser") -> None:
    """Add what the renewal may be told."""
    from pathlib import Path

    update.add_argument(
        "step", choices=("trust", "fetch", "apply", "show"),
        help="trust a key; fetch what the server offers; apply what waits (root); show how it stands",
    )  # fmt: skip
    update.add_argument("key", nargs="?", default="", metavar="KEY", help="trust: the key, in hex")
    update.add_argument("--updater", type=Path, metavar="DIR", help="folder of keys and way back")
    update.add_argument(
        "--root", type=Path, default=Path("/"), metavar="DIR",
        help="the package is installed below DIR (default: %(default)s)",
    )  # fmt: skip


def _tell(arguments: "Namespace") -> int | None:
    """Run a command that only shows something; None when it is another one."""
    # Each import stands in its branch: `run` must not carry the decoders, `decode` not TLS.
    match arguments.command:
        case "decode":
            from kiemke.agent.commands import decode

            return decode.run(arguments.kind, arguments.files)
        case "inventory":
            from kiemke.agent.commands import inventory

            if arguments.one_shot is not None:
                from kiemke.agent.commands import one_shot

                return one_shot.run(arguments.root, arguments.one_shot)
            return inventory.run(arguments.state, arguments.root, diff=arguments.diff)
        case "doctor":
            from kiemke.agent.commands import doctor

            return doctor.run(arguments.state, as_json=arguments.json)
        case "status":
            from kiemke.agent.commands import status

            return status.run(arguments.state)
    return None


def _call(arguments: "Namespace") -> int:
    """Load the command and run it."""
    shown = _tell(arguments)
    if shown is not None:
        return shown
    match arguments.command:
        case "privacy" | "claim" | "kit":
            return _call_of_persons(arguments)
        case "server":
            from kiemke.agent.commands import server

            return server.run(arguments.state, arguments.first, arguments.also, arguments.forget)
        case "enroll" | "seal" | "setup":
            return _call_of_installers(arguments)
        case "service":
            from kiemke.agent.halt import Halt
            from kiemke.agent.service.entry import LOG_FILE, SERVICE_NAME
            from kiemke.wire.windows_service import host

            halt, log = Halt(), arguments.state / LOG_FILE
            return host.serve(SERVICE_NAME, log, lambda: _work(arguments.state, halt), halt.ring)
        case "update":
            from kiemke.agent.commands import update

            return update.run(
                arguments.step, arguments.state, arguments.key, arguments.updater, arguments.root
            )
        case "sense":
            from kiemke.agent.commands import sense

            return sense.run()
        case "probe":
            from kiemke.agent.commands import probe

            return probe.run(arguments.name, arguments.words)
    from kiemke.agent.commands import run

    return run.run(
        arguments.state,
        once=arguments.once,
        spread_seconds=arguments.spread,
        outbox_mb=arguments.outbox_mb,
    )


def _call_of_installers(arguments: "Namespace") -> int:
    """Run a command that makes this PC known, or leaves it so that its clones can be."""
    match arguments.command:
        case "enroll":
            from kiemke.agent.commands import enroll

            return enroll.run(arguments.state, arguments.token, repin=arguments.repin)
        case "seal":
            from kiemke.agent.commands import seal

            return seal.run(
                arguments.state, arguments.token, arguments.token_file, is_frozen=arguments.frozen
            )
        case "setup":
            from kiemke.agent.commands import setup

            if arguments.uninstall:
                return setup.remove()
            return setup.run(
                arguments.state,
                arguments.token,
                arguments.token_file,
                arguments.package,
                arguments.update_key,
            )
    raise ValueError(f"{arguments.command} is no such command")


def _call_of_persons(arguments: "Namespace") -> int:
    """Run a command about who uses this PC and what is told of it."""
    match arguments.command:
        case "privacy":
            from kiemke.agent.commands import privacy

            return privacy.run(arguments.state, arguments.off, arguments.on)
        case "claim":
            from kiemke.agent.commands import claim

            said = (arguments.holder, arguments.code, arguments.tag)
            return claim.run(arguments.state, *said, forget=arguments.forget)
    from kiemke.agent.commands import kit

    return kit.run(arguments.state, arguments.folder)


def _work(state: "Path", halt: "Halt") -> int:
    """Run as the service manager's: the same service, ended by ``halt``."""
    from kiemke.agent.commands import run

    return _guarded(
        lambda: run.run(
            state, once=False, spread_seconds=SPREAD_SECONDS, outbox_mb=OUTBOX_MB, halt=halt
        )
    )


def _expected_errors() -> tuple[type[Exception], ...]:
    """Return the errors whose message is meant for the person at the terminal."""
    # Loaded only once something went wrong.
    from kiemke.agent.files import StateError
    from kiemke.wire.enrolment import EnrolmentError
    from kiemke.wire.outbox import OutboxError
    from kiemke.wire.pin import PinError

    return (StateError, EnrolmentError, OutboxError, PinError)


def _serve(state: str, spread: str, outbox_mb: str) -> int:
    """Be the service that ``start_over`` began."""
    from pathlib import Path

    from kiemke.agent.commands import run

    return run.run(
        Path(state), once=False, spread_seconds=float(spread), outbox_mb=float(outbox_mb)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status (78 when the agent is not enrolled)."""
    if argv is None:  # it is our own process
        from kiemke.agent import spare

        spare.stand_in() if sys.argv[1:2] in ([SERVE], ["service"]) else spare.load_dataclasses()
    if argv is None and sys.argv[1:2] == [SERVE] and len(sys.argv) == 5:
        return _guarded(lambda: _serve(*sys.argv[2:]))
    if sys.platform == "win32":
        from kiemke.agent.terminal import speak_utf8

        speak_utf8()
    top = parser()
    arguments = top.parse_args(argv)
    if arguments.command == "run" and argv is None and not arguments.once:
        from kiemke.agent.start import start_over

        start_over(SERVE, (arguments.state, arguments.spread, arguments.outbox_mb))
    if arguments.version:
        from kiemke.wire import __version__

        print(f"kiemke-agent {__version__}")
        return 0
    if arguments.command is None:
        top.print_help()
        return 2
    return _guarded(lambda: _call(arguments))


def _guarded(work: Callable[[], int]) -> int:
    """Return the work's exit status, that of a failure told in a sentence when it could not be."""
    try:
        return work()
    except Exception as err:
        if not isinstance(err, _expected_errors()):
            raise
        print(f"kiemke-agent: {err}", file=sys.stderr)
        from kiemke.agent.files import NotEnrolledError

        # A folder in use or a full disk may be well at the next try; a missing token will not.
        return EX_CONFIG if isinstance(err, NotEnrolledError) else 1


if __name__ == "__main__":
    sys.exit(main())
