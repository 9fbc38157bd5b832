"""kiemke totp: one's own second step of signing in, with the QR code in the terminal."""

import io

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.listing import json_option
from kiemke.cli.records import dig, text_at
from kiemke.cli.tables import as_json


def read_code() -> str:
    """Return a one-time code from the keyboard; raises Abort where nobody can be asked."""
    found: str = click.prompt(_("One-time code"), err=True)
    return found.strip()


def draw_qr(text: str) -> str:
    """Return a QR code of a text as half-block characters, light on dark or dark on light alike."""
    import segno  # only needed here: listings must not wait for it

    out = io.StringIO()
    segno.make(text, error="m", micro=False).terminal(out=out, compact=True)
    return out.getvalue()


@click.group(
    "totp",
    cls=Group,
    help=N_("Sign in by two steps: a password, and a code of your phone."),
    examples=("kiemke totp on", "kiemke hai-buoc bat"),
)
def totp() -> None:
    """Hold the verbs."""


@totp.command(
    "on",
    alias="bat",
    help=N_("Show a QR code for the phone, ask for its first code, show the recovery codes."),
    examples=("kiemke totp on", "kiemke hai-buoc bat"),
)
@json_option
@pass_app
def on(app: App, json: bool) -> None:
    """Enrol."""
    made = app.client.send("POST", "/me/totp")
    uri, secret = text_at(made, "uri"), text_at(made, "secret")
    if uri is None or secret is None:
        raise KiemkeError(_("the server's answer cannot be read"))
    click.echo(draw_qr(uri), err=True)
    app.say(
        _("Scan it with an authenticator app, or type this secret: {secret}").format(secret=secret),
        to_stderr=True,
    )
    done = app.client.send("POST", "/me/totp/confirm", body={"code": read_code()})
    if json:
        app.write(as_json(done) + "\n")
        return
    codes = dig(done, "recovery_codes")
    app.say(
        _("On from now. Keep these recovery codes elsewhere than the phone; each works once:"),
        *(f"  {code}" for code in (codes if isinstance(codes, list) else ())),
    )


@totp.command(
    "off",
    alias="tat",
    help=N_("Take your second step away, by a code of it."),
    examples=("kiemke totp off",),
)
@pass_app
def off(app: App) -> None:
    """Remove."""
    app.client.send("POST", "/me/totp/remove", body={"code": read_code()})
    app.say(_("Off: the password alone signs in again."))
