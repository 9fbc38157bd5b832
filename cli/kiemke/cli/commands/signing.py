"""kiemke login, logout, me: who is signed in, and by which root certificate."""

import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

from kiemke.cli import session, tls
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.commands.totp import read_code
from kiemke.cli.errors import KiemkeError, NotSignedIn, ServerProblem
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, TEXT, THING, words
from kiemke.cli.listing import json_option, show_one
from kiemke.cli.records import Record, dig, number_at, text_at
from kiemke.cli.tables import Column, as_json

if TYPE_CHECKING:
    from kiemke.cli.client import Client


def read_password(app: App, *, twice: bool = False) -> str:
    """Return a password from the keyboard unseen, or the first line of standard input.

    Never from the command line: that is in every process list. Raises KiemkeError when empty.
    """
    if sys.stdin.isatty():
        found: str = click.prompt(
            _("Password"), hide_input=True, confirmation_prompt=twice, err=True
        )
    else:
        found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise KiemkeError(
            _("no password was given"), remedy=_("type it, or pipe it into standard input")
        )
    return found


@click.command(
    "login",
    cls=Command,
    help=N_(
        "Sign in to a server and pin its root certificate. Compare the fingerprint with the one "
        "that “kiemke-server ca” prints at the server. The password is asked for, or read from "
        "standard input."
    ),
    examples=(
        "kiemke login https://10.1.0.5:8443 an",
        "kiemke login 10.1.0.5:8443 an --fingerprint 3FA1…9C < password.txt",
    ),
)
@argument("server", metavar=N_("SERVER"))
@argument("name", metavar=N_("NAME"))
@option(
    "--fingerprint",
    metavar=N_("HEX"),
    help=N_("The root's SHA-256, for scripts: nothing is asked, anything else is refused."),
)
@pass_app
def login(app: App, server: str, name: str, fingerprint: str | None) -> None:
    """Sign in."""
    # Imported here: httpx is not needed to show this command's help.
    from kiemke.cli.client import Client, normal_url

    address = normal_url(server)
    ca_pem = _agreed_root(app, address, fingerprint) if address.startswith("https") else None
    password = read_password(app)
    with Client(address, ca_pem, None) as client:
        told = _sign_in(client, {"name": name, "password": password})
    token = text_at(told, "token")
    if token is None:
        raise KiemkeError(_("the server's answer cannot be read"), where=address)
    with Client(address, ca_pem, token) as client:
        mine = client.get("/me")
        demo = client.demo or dig(mine, "demo") is True
    kept = session.Session(
        server=address,
        token=token,
        name=text_at(mine, "name") or name,
        role=text_at(mine, "role") or text_at(told, "role"),
        ca_pem=ca_pem,
        ca_sha256=tls.fingerprint(ca_pem) if ca_pem else None,
        expires_at=text_at(told, "expires_at"),
        utc_offset_seconds=number_at(mine, "utc_offset_seconds"),
        demo=demo,
    )
    path = session.save(app.settings.config_dir, kept)
    app.say(
        _("Signed in as {name} ({role}); the session is in {path}").format(
            name=kept.name, role=kept.role, path=path
        )
    )


def _sign_in(client: "Client", body: dict[str, str]) -> object:
    """Send name and password, and the one-time code where the server wants one."""
    try:
        return client.send("POST", "/login", body=body)
    except ServerProblem as err:
        if err.status != HTTPStatus.PRECONDITION_REQUIRED or not sys.stdin.isatty():
            raise
    return client.send("POST", "/login", body={**body, "code": read_code()})


def _agreed_root(app: App, address: str, expected: str | None) -> str:
    """Return the server's root once a person, or --fingerprint, agreed to it."""
    from kiemke.cli.client import fetch_root  # see login

    root = fetch_root(address)
    digest = tls.fingerprint(root)
    if expected is not None:
        if tls.bare(expected) != digest:
            raise KiemkeError(
                _("the server's root certificate has another fingerprint: {digest}").format(
                    digest=tls.spaced(digest)
                ),
                where=address,
                remedy=_("ask the server's keeper for the right one (kiemke-server ca)"),
            )
        return root
    app.say(
        _("Fingerprint (SHA-256) of the root certificate of {server}:").format(server=address),
        f"  {tls.spaced(digest[:32])}:",  # two lines: it is to be compared, not to be wrapped
        f"  {tls.spaced(digest[32:])}",
        to_stderr=True,
    )
    before = _pinned_before(app, address)
    if before == digest:
        app.say(_("It is the one pinned on this machine."), to_stderr=True)
        return root
    if before is not None:
        app.say(
            _("It is NOT the one pinned on this machine: {digest}").format(
                digest=tls.spaced(before)
            ),
            to_stderr=True,
        )
    if not sys.stdin.isatty():
        raise KiemkeError(
            _("nobody can be asked whether this fingerprint is right"),
            where=address,
            remedy=_("check it, then give it with --fingerprint"),
        )
    if not click.confirm(_("Is it the one that the server's keeper gave you?"), err=True):
        raise click.Abort
    return root


def _pinned_before(app: App, address: str) -> str | None:
    try:
        before = session.load(app.settings.config_dir)
    except KiemkeError:
        return None  # an unreadable session is about to be replaced
    return before.ca_sha256 if before is not None and before.server == address else None


@click.command(
    "logout",
    cls=Command,
    help=N_("Sign out: the token ends at the server and is removed from this machine."),
    examples=("kiemke logout",),
)
@pass_app
def logout(app: App) -> None:
    """Sign out."""
    try:
        app.signed_in()
    except KiemkeError as err:
        # Also a broken session file is removed: that is what signing out is for.
        if session.forget(app.settings.config_dir):
            app.say(_("Signed out."))
            return
        raise NotSignedIn from err
    try:
        app.client.send("DELETE", "/me/session")
    except KiemkeError as err:
        session.forget(app.settings.config_dir)
        app.say(
            _("Signed out here, but the server did not end the token: {reason}").format(
                reason=err.what
            )
        )
        return
    session.forget(app.settings.config_dir)
    app.say(_("Signed out."))


ME = (
    Column(N_("Name"), "name"),
    Column(N_("Role"), "role", words("role")),
    Column(N_("Unit"), "unit", THING),
    Column(N_("Server"), "server", TEXT),
    Column(N_("Signed in until"), "expires_at", MOMENT),
    Column(N_("Root fingerprint"), "ca_sha256", TEXT),
)


@click.command(
    "me",
    cls=Command,
    help=N_("Who is signed in, where, and as what."),
    examples=("kiemke me", "kiemke me --json"),
)
@json_option
@pass_app
def me(app: App, json: bool) -> None:
    """Show the signed-in user."""
    told = app.client.get("/me")
    here = app.signed_in()
    record: Record = {
        **(told if isinstance(told, Mapping) else {}),
        "server": here.server,
        "expires_at": here.expires_at,
        "ca_sha256": here.ca_sha256,
    }
    app.remember(role=text_at(told, "role"), demo=dig(told, "demo") is True)
    if json:
        app.write(as_json(record) + "\n")
        return
    show_one(app, _("Signed in"), ME, record)
