"""The program ``kiemke-server``: run, migrate, user, token, ca, audit, search, check."""

import argparse
import asyncio
import gc
import getpass
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kiemke.server.arguments import build_parser
from kiemke.server.tongue import complain, heed, in_tongue, say, spoken

if TYPE_CHECKING:
    from kiemke.server.db import Database
    from kiemke.server.settings import Settings

_MOST_FAULTS = 100
_FEW = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 well, 1 an error that is told in a sentence, 2 wrong usage."""
    given = sys.argv[1:] if arguments is None else arguments
    heed(given)
    parser = build_parser()
    options = parser.parse_args(given)
    try:
        # Imports wait until here: `kiemke-server --help` must answer without the server's extra.
        from kiemke.server.db import UNAVAILABLE
        from kiemke.server.errors import Problem, ServerError
        from kiemke.server.migrate import MigrationError
        from kiemke.server.settings import load
    except ModuleNotFoundError as error:
        complain(f"{error.name} is not installed; run: pip install 'kiemke[server]'")
        return 1
    try:
        return _dispatch(options, load(options.config))
    except Problem as error:
        told = error.tell("vi" if spoken() == "vi" else "en")
        print(f"{told['detail']} {told['remedy']}", file=sys.stderr)
    except (ServerError, MigrationError) as error:
        complain(str(error))
    except UNAVAILABLE as error:
        complain(f"{type(error).__name__}: {error}; check database_url and data_dir")
    return 1


def _dispatch(options: argparse.Namespace, settings: "Settings") -> int:
    if options.command == "run":
        gc.disable()  # what is made until it serves stays: `serve.run` turns it on
        from kiemke.server import serve  # heavy: nothing else needs the whole application
        from kiemke.server.logs import set_up_logs

        set_up_logs()
        serve.run(settings)
        return 0
    if options.command == "ca":
        return _ca(settings, options.step)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if options.command == "migrate":
        return asyncio.run(_migrate(settings, options.demo, options.backed_up))
    if options.command == "check":
        return asyncio.run(_check(settings))
    if options.command == "secrets-key":
        return asyncio.run(_rotate_key(settings, new_key=options.step == "rotate"))
    if options.command == "token":
        return asyncio.run(_add_token(settings, options))
    if options.command == "search":
        return asyncio.run(_rebuild_search(settings))
    if options.command == "audit":
        return asyncio.run(_audit(settings, options))
    if options.verb == "list":
        return asyncio.run(_list_users(settings))
    if options.verb == "reset-totp":
        return asyncio.run(_reset_totp(settings, options.name))
    password = _read_password()
    if options.verb == "password":
        return asyncio.run(_set_password(settings, options.name, password))
    return asyncio.run(_add_user(settings, options.name, options.role, password))


def _read_password() -> str:
    """Ask twice at a terminal; otherwise read one line of standard input. Never from argv."""
    from kiemke.server.errors import SettingsError

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(in_tongue("Password: "))
    if getpass.getpass(in_tongue("Once more: ")) != password:
        raise SettingsError("the two passwords differ; nothing was changed")
    return password


@asynccontextmanager
async def _opened(settings: "Settings") -> "AsyncIterator[Database]":
    from kiemke.server.db import Database
    from kiemke.server.migrate import prepare_database

    await prepare_database(settings.database_url)
    db = Database(settings.database_url)
    await db.open()
    try:
        yield db
    finally:
        await db.close()


async def _audit(settings: "Settings", options: argparse.Namespace) -> int:
    from kiemke.server.context import read_clock_ms
    from kiemke.server.domain.audit_chain import anchor, open_key, read_anchor, verify

    key = open_key(settings.data_dir / "audit")
    if options.verb == "adopt":
        return await _adopt(settings, options.paper)
    async with _opened(settings) as db, db.snapshot() as session:
        if options.verb == "anchor":
            head = await anchor(session, key)
            if head is None:
                complain("nothing is sealed yet")
                return 1
            print(head.to_json())
            return 0
        anchors = tuple(read_anchor(file.read_text("utf-8")) for file in options.anchor)
        report = await verify(session, key.public_key(), read_clock_ms(), anchors)
    say(f"{report.checked} entries, {report.signed_heads} signed heads, {report.unsealed} waiting")
    for fault in report.faults[:_MOST_FAULTS]:
        say(f"place {fault.place or '-'}: {fault.say(vietnamese=spoken() == 'vi')}")
    if len(report.faults) > _MOST_FAULTS:
        say(f"and {len(report.faults) - _MOST_FAULTS} more")
    say("the log is not what was sealed" if report.faults else "all is as it was sealed")
    return 1 if report.faults else 0


async def _adopt(settings: "Settings", paper: str) -> int:
    from kiemke.server.audit_adopt import record_rows
    from kiemke.server.context import read_clock_ms
    from kiemke.server.ledgers import LEDGER_TABLES

    async with _opened(settings) as db, db.transaction() as session:
        count = await record_rows(session, LEDGER_TABLES, "ledger.adopt", paper, read_clock_ms())
    say(f"{count} rows are in the log as they are now, by {paper}")
    return 0


async def _migrate(settings: "Settings", demo: bool, backed_up: bool) -> int:
    from kiemke.server.db import Database
    from kiemke.server.installation import ensure_installation
    from kiemke.server.migrate import migrate

    names = await migrate(settings.database_url, settings.data_dir, backed_up=backed_up, tell=say)
    db = Database(settings.database_url)
    await db.open()
    try:
        found = await ensure_installation(db, settings.utc_offset_seconds, demo=demo)
    finally:
        await db.close()
    say(f"applied: {_listed(names)}" if names else "the schema is up to date")
    if demo and not found.demo:
        complain("this database has real data already: it is not marked as sample data")
        return 1
    return 0


def _listed(names: Sequence[str]) -> str:
    """Return migrations in a line: all of a few, of many the first, the last and how many."""
    few = len(names) <= _FEW
    return ", ".join(names) if few else f"{names[0]} … {names[-1]} ({len(names)})"


async def _rebuild_search(settings: "Settings") -> int:
    from kiemke.server.domain import search_index

    async with _opened(settings) as db:
        before = await search_index.digest(db)
        async with db.transaction() as session:
            await search_index.make_all_due(session)
        things = 0
        while taken := await search_index.run(db):
            things += taken
        after = await search_index.digest(db)
    how = "as before" if before == after else "mended"
    say(f"{things} things, {after.words} words; {how}")
    return 0


async def _add_user(settings: "Settings", name: str, role: str, password: str) -> int:
    from kiemke.server.auth_users import add_user, hash_password_now
    from kiemke.server.context import read_clock_ms

    async with _opened(settings) as db, db.transaction() as session:
        await add_user(
            session,
            name=name,
            password_hash=hash_password_now(password),
            role=role,
            unit_id=None,
            who="kiemke-server",
            now_ms=read_clock_ms(),
        )
    print(f"{name}: {role}")
    return 0


async def _set_password(settings: "Settings", name: str, password: str) -> int:
    from kiemke.server.auth_users import change_user, hash_password_now
    from kiemke.server.context import read_clock_ms

    async with _opened(settings) as db, db.transaction() as session:
        await change_user(
            session,
            name=name,
            changes={"password_hash": hash_password_now(password)},
            who="kiemke-server",
            now_ms=read_clock_ms(),
        )
    say(f"{name}: the password is changed; sign in again")
    return 0


async def _reset_totp(settings: "Settings", name: str) -> int:
    from kiemke.server.auth_totp import remove
    from kiemke.server.auth_users import find_user
    from kiemke.server.context import read_clock_ms

    async with _opened(settings) as db, db.transaction() as session:
        user = await find_user(session, name)
        await remove(session, user["id"], name, "kiemke-server", read_clock_ms())
    say(f"{name}: signs in by the password alone; enrol a phone anew with: kiemke totp on")
    return 0


async def _list_users(settings: "Settings") -> int:
    async with _opened(settings) as db:
        rows = await db.read(
            "SELECT name, role, unit_id, disabled_at_ms FROM app_user ORDER BY name"
        )
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))
    return 0


async def _add_token(settings: "Settings", options: argparse.Namespace) -> int:
    from kiemke.server.auth_users import issue_token_for
    from kiemke.server.context import read_clock_ms

    async with _opened(settings) as db, db.transaction() as session:
        token = await issue_token_for(
            session,
            name=options.user,
            kind=options.kind,
            label=options.label,
            days=options.days,
            who="kiemke-server",
            now_ms=read_clock_ms(),
        )
    print(token.token)
    return 0


def _ca(settings: "Settings", step: str | None) -> int:
    from kiemke.server.ca import format_fingerprint, make_next_root, open_authority, switch_root

    folder = settings.data_dir / "ca"
    if step == "next":
        say(f"next SHA-256 {format_fingerprint(make_next_root(folder).sha256)}")
        say(
            "Senders learn it with their next post. When all have reported: kiemke-server ca switch"
        )
        return 0
    if step == "switch":
        print(f"SHA-256 {format_fingerprint(switch_root(folder).sha256)}")
        say(
            "It signs within a minute, without a restart. A machine that never learned it: "
            "kiemke-agent enroll --repin TOKEN"
        )
        return 0
    authority = open_authority(folder)
    print(f"SHA-256 {format_fingerprint(authority.root_sha256)}")
    print(authority.folder / "root.pem")
    if authority.upcoming is not None:
        say(f"next SHA-256 {format_fingerprint(authority.upcoming.sha256)}")
    return 0


async def _rotate_key(settings: "Settings", *, new_key: bool) -> int:
    from kiemke.server.secrets_key import rotate

    done, lost = await rotate(settings, new_key=new_key)
    say(done)
    for words in lost:
        complain(words)
    return 1 if lost else 0


async def _check(settings: "Settings") -> int:
    from kiemke.server.ca import open_authority, renew_leaf
    from kiemke.server.migrate import pending

    say(
        f"settings  ok  data_dir {settings.data_dir}, {settings.listen_host}:{settings.listen_port}"
    )
    names = await pending(settings.database_url)
    if names:
        say(f"database  lacks {_listed(names)}: run kiemke-server migrate")
    else:
        say("database  ok")
    authority = open_authority(settings.data_dir / "ca")
    renew_leaf(authority, settings.certificate_names, datetime.now(UTC))
    say(f"root      ok  {authority.root_sha256}")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
