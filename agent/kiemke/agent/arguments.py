"""The words of the command line, and their help in the reader's language."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from kiemke.agent.start import OUTBOX_MB, SPREAD_SECONDS
from kiemke.agent.tongue import in_tongue
from kiemke.wire.spoken_help import SpokenParser

LINUX_STATE = "/var/lib/kiemke-agent"

EXAMPLES = (
    ("enroll TOKEN", "make this machine known to the server"),
    ("enroll - <FILE", "the same; the token is not seen in the list of processes"),
    ("run", "the service itself"),
    ("inventory", "show what is reported, send nothing"),
    ("inventory --diff", "what changed since it was told"),
    ("status", "is all well?"),
    ("doctor", "why not, and what to do"),
    ("server --first https://10.5.9.2:8443", "by the relay of this site"),
    ("privacy --off wifi_name", "what is told about persons, and its switches"),
    ("seal --token TOKEN", "before this PC's disk is imaged"),
    ("update show", "which releases are trusted, what came of the last"),
    ("decode edid FILE", "the monitor's own data in words"),
)


def default_state() -> Path:
    """Return the folder of the agent's own files: below ProgramData on Windows."""
    if sys.platform == "win32":
        # A megabyte that only Windows needs.
        from kiemke.wire.windows_service.folders import program_data

        return program_data() / "kiemke-agent"
    return Path(LINUX_STATE)


class Parser(SpokenParser):
    """A parser whose help and complaints are in the reader's language."""

    in_tongue = staticmethod(in_tongue)
    examples = EXAMPLES


def parser() -> ArgumentParser:
    """Return the parser of the whole command line."""
    top = Parser(
        prog="kiemke-agent",
        description="Counts this machine and tells the kiemke server. It opens no port.",
    )
    top.add_argument("--version", action="store_true", help="print the version and end")
    default = default_state()
    commands = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, words: str, *, state: bool = True) -> ArgumentParser:
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
    kit = command("kit", "ask and enrol, from a USB stick (its script starts this)")
    kit.add_argument("folder", type=Path, metavar="FOLDER", help="the stick's folder")
    command("service", "be the Windows service (its manager alone starts this)")
    commands.add_parser("sense", description="Run the sensors for the service (its own child).")
    _probe_options(commands.add_parser("probe", description="Ask what might hang (own child)."))
    decode = command("decode", "decode recorded files, one JSON a line", state=False)
    decode.add_argument("kind", choices=("edid", "smbios", "one-shot"))
    decode.add_argument("files", nargs="+", metavar="FILE")
    return top


def _enroll_options(enroll: ArgumentParser) -> None:
    """Add the token and what is taken of it."""
    enroll.add_argument("token", help='the token; "-" reads it from standard input')
    enroll.add_argument(
        "--repin", action="store_true",
        help="believe the token's root certificate; the machine stays the one it is",
    )  # fmt: skip


def _inventory_options(inventory: ArgumentParser) -> None:
    """Add which machine is read and what is shown of it."""
    inventory.add_argument(
        "--root", type=Path, default=Path("/"), metavar="DIR",
        help="read a recorded machine's files under DIR",
    )  # fmt: skip
    inventory.add_argument(
        "--one-shot", type=Path, metavar="FILE", help="write the file of `kiemke machine import`"
    )
    inventory.add_argument("--diff", action="store_true", help="what changed since it was told")


def _setup_options(setup: ArgumentParser) -> None:
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


def _seal_options(seal: ArgumentParser) -> None:
    """Add by which token clones enrol, and whether they forget."""
    seal.add_argument("--token", default="", metavar="TOKEN", help="the token clones enrol with")
    seal.add_argument("--token-file", default="", metavar="FILE", help="file that holds it")
    seal.add_argument(
        "--frozen", action="store_true",
        help="the PC forgets all at each start (Deep Freeze, kiosk): it stays one source",
    )  # fmt: skip


def _probe_options(probe: ArgumentParser) -> None:
    """Add what the sensors ask their child."""
    probe.add_argument("name", choices=("antivirus", "bitlocker"))
    probe.add_argument("words", nargs="*")


def _server_options(server: ArgumentParser) -> None:
    """Add how the list of addresses is changed."""
    for way, words in (
        ("first", "try this address, such as a relay's, before the others"),
        ("also", "try this address after the others"),
        ("forget", "do not try this address any more"),
    ):
        server.add_argument(f"--{way}", action="append", default=[], metavar="URL", help=words)


def _claim_options(claim: ArgumentParser) -> None:
    """Add what may be said of this PC."""
    for name, words in (
        ("holder", "the person's name"), ("code", "the person's code"), ("tag", "the sticker"),
    ):  # fmt: skip
        claim.add_argument(f"--{name}", default="", metavar="TEXT", help=words)
    claim.add_argument("--forget", action="store_true", help="take back what was said")


def _run_options(run: ArgumentParser) -> None:
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


def _update_options(update: ArgumentParser) -> None:
    """Add what the renewal may be told."""
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
