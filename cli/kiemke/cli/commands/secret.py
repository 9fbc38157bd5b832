"""kiemke secret: communities, keys and passwords of devices. Values are asked for, never given as words."""

import sys
from pathlib import Path
from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, MOMENT, THING, words
from kiemke.cli.listing import (
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import SECRET, UNIT, pick, reference
from kiemke.cli.records import text_at
from kiemke.cli.tables import Column, as_json

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Kind"), "kind", words("secret_kind")),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Version"), "version", COUNT),
    Column(N_("May change devices"), "can_change"),
    Column(N_("Well known"), "well_known"),
    Column(N_("Collectors"), "holders", COUNT),
    Column(N_("Changed at"), "changed_at", MOMENT, optional=1),
)
AUTHENTICATION = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
PRIVACY = ("DES", "AES128", "AES192", "AES256", "AES192-BLUMENTHAL", "AES256-BLUMENTHAL")


@click.group(
    "secret",
    cls=Group,
    help=N_(
        "Communities, keys and passwords of devices. They are kept encrypted, are never shown "
        "again, and go only to the collector that polls the devices."
    ),
    examples=("kiemke secret list", "kiemke bi-mat add default --don-vi TG --kind snmp"),
)
def secret() -> None:
    """Hold the verbs."""


@secret.command(
    "list",
    alias="danh-sach",
    help=N_("List secrets, never their values."),
    examples=("kiemke secret list", "kiemke bi-mat list --don-vi TG --json"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List secrets."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Secrets"), COLUMNS, app.client.items("/secrets", asked, shape.rows), shape)


def _asking(function: click.decorators.FC) -> click.decorators.FC:
    """Give a command the options that say which values are asked for, none of them a value."""
    for decorate in (
        option("--write/--read", "can_change", default=None,
               help=N_("Whether its holder may change devices (not known if not given).")),
        option("--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
               metavar=N_("FILE"), help=N_("SSH: a private key instead of a password.")),
        option("--enable", is_flag=True, help=N_("SSH: ask for the second (enable) password too.")),
        option("--privacy", type=click.Choice(PRIVACY), help=N_("SNMPv3: how it is encrypted.")),
        option("--authentication", type=click.Choice(AUTHENTICATION),
               help=N_("SNMPv3: how it is signed.")),
        option("--v1", is_flag=True, help=N_("SNMPv1, for gear that knows nothing newer.")),
        option("--v3", is_flag=True, help=N_("SNMPv3: a user with keys, not a community.")),
    ):  # fmt: skip
        function = decorate(function)
    return function


def _read(label: str, *, hidden: bool = True) -> str:
    """Return a value from the keyboard, or the next line of standard input. Raises KiemkeError."""
    if sys.stdin.isatty():
        found: str = click.prompt(label, hide_input=hidden, confirmation_prompt=hidden, err=True)
    else:
        found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise KiemkeError(
            _("{what} was not given").format(what=label),
            remedy=_("type it, or pipe the values into standard input, a line each"),
        )
    return found


def _read_snmp(
    v1: bool, v3: bool, authentication: str | None, privacy: str | None
) -> dict[str, str]:
    if not (v3 or authentication or privacy):
        return {"version": "1" if v1 else "2c", "community": _read(_("Community"))}
    values = {"version": "3", "user": _read(_("User"), hidden=False)}
    if authentication:
        values |= {"auth_protocol": authentication, "auth_key": _read(_("Authentication key"))}
    if privacy:
        values |= {"privacy_protocol": privacy, "privacy_key": _read(_("Privacy key"))}
    return values


def _read_ssh(key_file: Path | None, enable: bool) -> dict[str, str]:
    values = {"user": _read(_("User"), hidden=False)}
    if key_file is not None:
        values["private_key"] = key_file.read_text("utf-8")
    else:
        values["password"] = _read(_("Password"))
    if enable:
        values["enable_password"] = _read(_("Enable password"))
    return values


def _said(app: App, text: str, made: object, json: bool) -> None:
    if json:
        app.write(as_json(made) + "\n")
    else:
        app.say(text)


@secret.command(
    "add",
    alias="them",
    help=N_(
        "Keep a secret of a unit. Its values are asked for, or read from standard input, a line "
        "each; never written on the command line. Devices of the unit, and of units below, use it "
        "by its name; “default” is used by those that name none."
    ),
    examples=(
        "kiemke secret add default --unit TG --kind snmp",
        "kiemke secret add loi --unit TG --kind snmp --authentication SHA256",
        "kiemke bi-mat them ssh --don-vi TG --kind ssh < values.txt",
    ),
)
@argument("name", metavar=N_("NAME"))
@option("--unit", "--don-vi", "unit", required=True, metavar=N_("UNIT"), help=N_("Whose it is."))
@option("--kind", type=Choice("secret_kind"), required=True, help=N_("What it is for."))
@_asking
@json_option
@pass_app
def add(
    app: App, name: str, unit: str, kind: str, v1: bool, v3: bool, authentication: str | None,
    privacy: str | None, enable: bool, key_file: Path | None, can_change: bool | None, json: bool,
) -> None:  # fmt: skip
    """Keep a secret."""
    place = reference(app, UNIT, unit)
    values = (
        _read_snmp(v1, v3, authentication, privacy)
        if kind == "snmp"
        else _read_ssh(key_file, enable)
    )
    body = {"name": name, "unit": place, "kind": kind, "values": values, "can_change": can_change}
    made = app.client.send("POST", "/secrets", body=body)
    _said(app, _("Kept: {name}").format(name=name), made, json)


@secret.command(
    "rotate",
    alias="doi",
    help=N_("Give a secret other values; collectors fetch them within a minute."),
    examples=("kiemke secret rotate default", "kiemke bi-mat doi 7 < values.txt"),
)
@argument("ref", metavar=N_("SECRET"))
@_asking
@json_option
@pass_app
def rotate(
    app: App, ref: str, v1: bool, v3: bool, authentication: str | None, privacy: str | None, enable: bool,
    key_file: Path | None, can_change: bool | None, json: bool,
) -> None:  # fmt: skip
    """Rotate a secret."""
    found = pick(app, SECRET, ref)
    is_snmp = text_at(found, "kind") == "snmp"
    values = _read_snmp(v1, v3, authentication, privacy) if is_snmp else _read_ssh(key_file, enable)
    body = {"values": values, "can_change": can_change}
    made = app.client.send("POST", f"/secrets/{_number(found)}/rotate", body=body)
    name = text_at(found, "name") or ref
    _said(app, _("Changed: {name}; now change it at the devices too").format(name=name), made, json)


@secret.command(
    "remove",
    alias="xoa",
    help=N_("Forget a secret. That collectors held it stays known."),
    examples=("kiemke secret remove core", "kiemke bi-mat xoa 7 --yes"),
)
@argument("ref", metavar=N_("SECRET"))
@option("--yes", is_flag=True, help=N_("Do not ask."))
@pass_app
def remove(app: App, ref: str, yes: bool) -> None:
    """Remove a secret."""
    found = pick(app, SECRET, ref)
    name = text_at(found, "name") or ref
    question = _("Forget the secret {name}? Devices that use it are no longer polled.")
    if not yes and not click.confirm(question.format(name=name), err=True):
        raise click.Abort
    app.client.send("DELETE", f"/secrets/{_number(found)}")
    app.say(_("Forgotten: {name}").format(name=name))


def _number(found: object) -> str:
    number = found.get("id") if isinstance(found, dict) else None
    return quote(str(number), safe="")
