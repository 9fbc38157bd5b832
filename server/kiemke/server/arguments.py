"""The command line of ``kiemke-server``. It imports nothing heavy: its help comes without the extra."""

import argparse
from pathlib import Path
from typing import Any

from kiemke.server.tongue import Parser
from kiemke.wire import __version__


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser: argparse.ArgumentParser = Parser(
        prog="kiemke-server", description="The inventory server."
    )
    parser.add_argument("--version", action="version", version=f"kiemke {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config", type=Path, metavar="FILE",
        help="settings file (default: /etc/kiemke/server.toml)",
    )  # fmt: skip
    common.add_argument(
        "--lang", choices=("vi", "en"),
        help="the language to speak (default: KIEMKE_LANG, the locale)",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add(commands, "run", "serve until SIGTERM", common)
    migrate = _add(commands, "migrate", "bring the schema up to date", common)
    migrate.add_argument(
        "--demo", action="store_true", help="mark a new installation's data as sample data"
    )
    migrate.add_argument(
        "--backed-up", action="store_true",
        help="PostgreSQL: the database is backed up already, do not run pg_dump",
    )  # fmt: skip
    _add_user(commands, common)
    _add_token(commands, common)
    ca = _add(commands, "ca", "print the root's fingerprint, or replace the root", common)
    ca.add_argument(
        "step", nargs="?", choices=("next", "switch"),
        help="next: make the root that follows and announce it; switch: sign with it",
    )  # fmt: skip
    _add_audit(commands, common)
    search = _verbs(commands, "search", "the words things are found by")
    _add(search, "rebuild", "make all of them anew, and say whether any was wrong", common)
    key = _add(commands, "secrets-key", "the key that seals secrets in the database", common)
    key.add_argument(
        "step", choices=("rotate", "reseal"),
        help="rotate: make another key and seal everything by it; reseal: by the newest there is",
    )  # fmt: skip
    _add(commands, "check", "check settings, database and certificate", common)
    return parser


def _add(
    commands: Any, name: str, words: str, common: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    """Return the parser of a command, which says what it is for in the list and in its own help."""
    made: argparse.ArgumentParser = commands.add_parser(
        name, parents=[common], help=words, description=words
    )
    return made


def _verbs(commands: Any, noun: str, words: str) -> Any:
    """Return what takes the verbs of a noun."""
    made = commands.add_parser(noun, help=words, description=words)
    return made.add_subparsers(dest="verb", metavar="COMMAND", required=True)


def _add_user(commands: Any, common: argparse.ArgumentParser) -> None:
    user = _verbs(commands, "user", "users")
    add = _add(user, "add", "add a user; the password is read, not given", common)
    add.add_argument("name", metavar="NAME")
    add.add_argument(
        "--role", choices=("admin", "it", "auditor", "viewer"), required=True,
        help="what the user may do; every unit is seen",
    )  # fmt: skip
    password = _add(user, "password", "set another password", common)
    password.add_argument("name", metavar="NAME")
    _add(user, "list", "list users", common)
    reset = _add(user, "reset-totp", "take away a second step whose phone is lost", common)
    reset.add_argument("name", metavar="NAME")


def _add_token(commands: Any, common: argparse.ArgumentParser) -> None:
    token = _verbs(commands, "token", "access tokens")
    add = _add(token, "add", "make a token; it is shown once", common)
    add.add_argument("--user", metavar="NAME", required=True, help="whose rights it has")
    add.add_argument(
        "--kind", choices=("api", "scrape"), required=True,
        help="api: for programs; scrape: the metrics alone",
    )  # fmt: skip
    add.add_argument("--label", metavar="TEXT", help="what it is for")
    add.add_argument(
        "--days", type=int, default=365, metavar="N", help="valid so long (default: %(default)s)"
    )


def _add_audit(commands: Any, common: argparse.ArgumentParser) -> None:
    audit = _verbs(commands, "audit", "the audit log")
    verify = _add(audit, "verify", "read the whole chain", common)
    verify.add_argument(
        "--anchor", type=Path, action="append", default=[], metavar="FILE",
        help="an anchor kept elsewhere, to find a tail cut off",
    )  # fmt: skip
    adopt = _add(
        audit, "adopt",
        "after a repair by hand: take the ledgers as they are, with an entry that says so", common,
    )  # fmt: skip
    adopt.add_argument(
        "--paper", metavar="NUMBER", required=True,
        help="number of the paper that ordered the repair",
    )  # fmt: skip
    _add(audit, "anchor", "print the newest signed head, to be kept", common)
