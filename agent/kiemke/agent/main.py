"""The command line of kiemke-agent. A command's code is loaded only when it is called."""

import sys
from collections.abc import Callable, Sequence

TYPE_CHECKING = False  # not typing's: nothing that has a stand-in may be loaded before it stands
if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from kiemke.agent.halt import Halt

EX_CONFIG = 78  # sysexits.h: not enrolled; starting the service again does not help
SERVE = "serve"  # what `run` becomes: its words are ours, and need no parser


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
    from kiemke.agent.service.patience import work_once_enrolled
    from kiemke.agent.start import OUTBOX_MB, SPREAD_SECONDS

    def work() -> int:
        return run.run(
            state, once=False, spread_seconds=SPREAD_SECONDS, outbox_mb=OUTBOX_MB, halt=halt
        )

    return _guarded(lambda: work_once_enrolled(state, halt, work))


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
    # The service itself runs without: see ``start_over``.
    from kiemke.agent.arguments import parser

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
        # Told in English where it was raised, as the log keeps it.
        from kiemke.agent.tongue import in_tongue
        from kiemke.wire.mouth import open_mouth

        open_mouth()
        print(f"kiemke-agent: {in_tongue(str(err))}", file=sys.stderr)
        from kiemke.agent.files import NotEnrolledError

        # A folder in use or a full disk may be well at the next try; a missing token will not.
        return EX_CONFIG if isinstance(err, NotEnrolledError) else 1


if __name__ == "__main__":
    sys.exit(main())
