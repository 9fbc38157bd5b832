"""The command line of ``kiemke-server``. It imports nothing heavy: its help comes without the extra."""

import argparse
from pathlib import Path
from typing import Any

from kiemke.wire import __version__

EXAMPLES = """examples:
  kiemke-server run --config /etc/kiemke/server.toml
  kiemke-server user add lan --role admin          (asks for the password, or reads one line)
  kiemke-server ca                                 (what people compare when they sign in)
  kiemke-server ca next                            (make the root that follows; ca switch uses it)
  kiemke-server token add --user lan --kind scrape --label prometheus
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(
        prog="kiemke-server",
        description="The inventory server.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kiemke {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config", type=Path, help="settings file (default: /etc/kiemke/server.toml)"
    )
    common.add_argument("--lang", choices=("vi", "en"), default="vi", help="language of errors")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", parents=[common], help="serve until SIGTERM")
    migrate = commands.add_parser("migrate", parents=[common], help="bring the schema up to date")
    migrate.add_argument(
        "--demo", action="store_true", help="mark a new installation's data as sample data"
    )
    migrate.add_argument(
        "--backed-up",
        action="store_true",
        help="PostgreSQL: the database is backed up already, do not run pg_dump",
    )
    user = commands.add_parser("user", help="users").add_subparsers(dest="verb", required=True)
    add = user.add_parser(
        "add", parents=[common], help="add a user; the password is read, not given"
    )
    add.add_argument("name")
    add.add_argument("--role", choices=("admin", "it", "auditor", "viewer"), required=True)
    password = user.add_parser("password", parents=[common], help="set another password")
    password.add_argument("name")
    user.add_parser("list", parents=[common], help="list users")
    reset = user.add_parser(
        "reset-totp", parents=[common], help="take away a second step whose phone is lost"
    )
    reset.add_argument("name")
    token = commands.add_parser("token", help="access tokens").add_subparsers(
        dest="verb", required=True
    )
    token_add = token.add_parser("add", parents=[common], help="make a token; it is shown once")
    token_add.add_argument("--user", required=True)
    token_add.add_argument("--kind", choices=("api", "scrape"), required=True)
    token_add.add_argument("--label")
    token_add.add_argument("--days", type=int, default=365)
    ca = commands.add_parser(
        "ca", parents=[common], help="print the root's fingerprint, or replace the root"
    )
    ca.add_argument(
        "step",
        nargs="?",
        choices=("next", "switch"),
        help="next: make the root that follows and announce it; switch: sign with it",
    )
    _add_audit(commands, common)
    _add_search(commands, common)
    _add_key(commands, common)
    commands.add_parser("check", parents=[common], help="check settings, database and certificate")
    return parser


def _add_key(commands: Any, common: argparse.ArgumentParser) -> None:
    key = commands.add_parser(
        "secrets-key", parents=[common], help="the key that seals secrets in the database"
    )
    key.add_argument(
        "step",
        choices=("rotate", "reseal"),
        help="rotate: make another key and seal everything by it; reseal: by the newest there is",
    )


def _add_audit(commands: Any, common: argparse.ArgumentParser) -> None:
    audit = commands.add_parser("audit", help="the audit log").add_subparsers(
        dest="verb", required=True
    )
    verify = audit.add_parser("verify", parents=[common], help="read the whole chain")
    verify.add_argument("--anchor", type=Path, action="append", default=[], metavar="FILE",
                        help="an anchor kept elsewhere, to find a tail cut off")  # fmt: skip
    adopt = audit.add_parser(
        "adopt",
        parents=[common],
        help="after a repair by hand: take the ledgers as they are, with an entry that says so",
    )
    adopt.add_argument("--paper", required=True, help="number of the paper that ordered the repair")
    audit.add_parser("anchor", parents=[common], help="print the newest signed head, to be kept")


def _add_search(commands: Any, common: argparse.ArgumentParser) -> None:
    search = commands.add_parser("search", help="the words things are found by").add_subparsers(
        dest="verb", required=True
    )
    search.add_parser(
        "rebuild", parents=[common], help="make all of them anew, and say whether any was wrong"
    )
