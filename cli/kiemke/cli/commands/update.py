"""kiemke update: releases of the agent, signed on an administrator's PC and given out in stages."""

import base64
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, MOMENT, TEXT, THING, words
from kiemke.cli.listing import (
    Shape,
    Times,
    json_option,
    shape_options,
    show,
    show_one,
    time_options,
)
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.refusals import WHY
from kiemke.cli.tables import Column, as_json, draw

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Version"), "version"),
    Column(N_("System"), "system"),
    Column(N_("Per cent of PCs"), "percent", COUNT),
    Column(N_("For PCs"), "for_pcs", COUNT, optional=1),
    Column(N_("Running"), "running", COUNT),
    Column(N_("Amiss"), "amiss", COUNT),
    Column(N_("Published at"), "published_at", MOMENT),
    Column(N_("By"), "published_by", flexible=True),
    Column(N_("Ends"), "expires_at", MOMENT),
    Column(N_("Withdrawn"), "withdrawn_at", MOMENT, optional=1),
    Column(N_("Because"), "reason", flexible=True, optional=2),
)
STATES = (Column(N_("State"), "state", words("release_state")), Column(N_("PCs"), "count", COUNT))
VERSIONS = (Column(N_("Version"), "version"), Column(N_("PCs"), "count", COUNT))
PLACES = (
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("Source"), "source", optional=2, flexible=True),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("State"), "state", words("release_state")),
    Column(N_("Version"), "version"),
    Column(N_("Last heard"), "last_received_at", MOMENT, optional=1),
    Column(N_("Because"), "reason", WHY, flexible=True),
)
FIELDS = (*COLUMNS, Column(N_("File"), "file", TEXT), Column("SHA-256", "sha256", TEXT))
PACKAGE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(
    "update",
    cls=Group,
    help=N_(
        "Releases of the agent. They are signed on an administrator's PC by a key that no server "
        "holds; PCs install only what that key signed."
    ),
    examples=("kiemke update list", "kiemke cap-nhat giai-doan 0.2.0 10"),
)
def update() -> None:
    """Hold the verbs."""


@update.command(
    "key",
    alias="khoa",
    help=N_(
        "Make the key that signs releases, once, on a PC that is not the server. Keep a copy of the "
        "file under lock. What is printed goes onto each PC: kiemke-agent update trust."
    ),
    examples=("kiemke update key phat-hanh.key",),
)
@argument("file", metavar=N_("FILE"), type=click.Path(path_type=Path))
@pass_app
def key(app: App, file: Path) -> None:
    """Make a key."""
    from kiemke.cli.release_keys import make_key  # signing alone needs the library

    public = make_key(file, _read_password(twice=True))
    app.say(_("The key is in {file}. On each PC, as administrator:").format(file=file))
    app.say(f"  kiemke-agent update trust {public}")


@update.command(
    "sign",
    alias="ky",
    help=N_("Sign a package with the key; the signed manifest is written beside it."),
    examples=(
        "kiemke update sign kiemke-agent_0.2.0_amd64.deb --key phat-hanh.key",
        "kiemke cap-nhat ky kiemke-agent.msi --key phat-hanh.key --version 0.2.0",
    ),
)
@argument("file", metavar=N_("FILE"), type=PACKAGE)
@option(
    "--key",
    "key_file",
    type=PACKAGE,
    required=True,
    metavar=N_("FILE"),
    help=N_("The key that “kiemke update key” made."),
)
@option("--version", "version", metavar=N_("VERSION"), help=N_("Of an .msi: which version it is."))
@option(
    "--days",
    type=click.IntRange(1, 365),
    default=60,
    show_default=True,
    metavar=N_("DAYS"),
    help=N_("How long PCs may still install it."),
)
@pass_app
def sign(app: App, file: Path, key_file: Path, version: str | None, days: int) -> None:
    """Sign a package."""
    from kiemke.cli.release_keys import open_key, sign_package  # signing alone needs the library

    opened = open_key(key_file, _read_password())
    made = sign_package(file, opened, version=version, days=days, now=datetime.now(UTC))
    app.say(_("Signed: {file}").format(file=made))


@update.command(
    "publish",
    alias="cong-bo",
    help=N_(
        "Publish a signed package, to begin with for one per cent of the PCs. Then 10, then 100: "
        "“kiemke update stage”."
    ),
    examples=(
        "kiemke update publish kiemke-agent_0.2.0_amd64.deb",
        "kiemke cap-nhat cong-bo kiemke-agent.msi --percent 10",
    ),
)
@argument("file", metavar=N_("FILE"), type=PACKAGE)
@option(
    "--percent",
    type=click.IntRange(1, 100),
    metavar=N_("PERCENT"),
    default=1,
    show_default=True,
    help=N_("How many per cent of the PCs may have it."),
)
@json_option
@pass_app
def publish(app: App, file: Path, percent: int, json: bool) -> None:
    """Publish a package."""
    from kiemke.cli.release_keys import read_package, signed_file  # see sign

    package = read_package(file)
    beside = signed_file(file)
    if not beside.is_file():
        raise KiemkeError(
            _("the package is not signed"),
            where=str(beside),
            remedy=_("kiemke update sign {file} --key FILE").format(file=file.name),
        )
    signed = base64.urlsafe_b64encode(beside.read_bytes()).decode().rstrip("=")
    parameters: dict[str, str | int | list[str] | None] = {"signed": signed, "percent": percent}
    made = app.client.send("POST", "/agent-releases", parameters=parameters, content=package)
    _show(app, made, json)


@update.command(
    "list",
    alias="danh-sach",
    help=N_("List releases, the last published first."),
    examples=("kiemke update list", "kiemke cap-nhat danh-sach --json"),
)
@time_options
@shape_options
@pass_app
def list_(app: App, times: Times, shape: Shape) -> None:
    """List releases."""
    found = app.client.items("/agent-releases", times.parameters(), shape.rows)
    show(app, _("Releases of the agent"), COLUMNS, found, shape)


@update.command(
    "show",
    alias="xem",
    help=N_(
        "Show how far a release is: on how many PCs it runs, was taken back, was refused or does not "
        "arrive, and on which."
    ),
    examples=("kiemke update show 0.2.0", "kiemke cap-nhat xem 0.2.0 --json"),
)
@argument("ref", metavar=N_("VERSION"))
@json_option
@pass_app
def show_(app: App, ref: str, json: bool) -> None:
    """Show how far a release is, for each system it is offered for."""
    found = [app.client.get(f"/agent-releases/{number}/progress") for number in _numbers(app, ref)]
    if json:
        app.write(as_json(found) + "\n")
        return
    for each in found:
        _show_progress(app, each)


def _show_progress(app: App, found: object) -> None:
    """Print one release's progress, and what to do where it does not get on."""
    release = dig(found, "release")
    show_one(app, _("Release of the agent"), FIELDS, release if isinstance(release, dict) else {})
    for title, columns, name, key in (
        (_("PCs by state"), STATES, "states", "state"),
        (_("PCs by version"), VERSIONS, "versions", "version"),
    ):
        counts = dig(found, name)
        rows = (
            [{key: one, "count": n} for one, n in counts.items() if n]
            if isinstance(counts, dict)
            else []
        )
        app.heading(title)
        app.say(*draw(columns, rows, app.width(), app.zone).lines)
    places = records_of(dig(found, "amiss"))
    if not places:
        return
    app.heading(_("Amiss"))
    app.say(*draw(PLACES, places, app.width(), app.zone).lines)
    app.say(
        _("Taken back: withdraw the release, look at the PC: kiemke-agent update show"),
        _(
            "Not arriving: does the PC trust the key, and did the agent come as a package? The same command tells."
        ),
    )


@update.command(
    "stage",
    alias="giai-doan",
    help=N_("Offer a release to so many per cent of the PCs: 1, then 10, then 100."),
    examples=("kiemke update stage 0.2.0 10", "kiemke cap-nhat giai-doan 7 100"),
)
@argument("ref", metavar=N_("VERSION"))
@argument("percent", metavar=N_("PERCENT"), type=click.IntRange(1, 100))
@json_option
@pass_app
def stage(app: App, ref: str, percent: int, json: bool) -> None:
    """Stage a release."""
    for number in _numbers(app, ref):
        path = f"/agent-releases/{number}/stage"
        _show(app, app.client.send("POST", path, body={"percent": percent}), json)


@update.command(
    "withdraw",
    alias="thu-hoi",
    help=N_("Offer a release to nobody any more. PCs that have it keep it."),
    examples=('kiemke update withdraw 0.2.0 --reason "printers vanish"',),
)
@argument("ref", metavar=N_("VERSION"))
@option("--reason", "--ly-do", "reason", metavar=N_("TEXT"), help=N_("Why."))
@json_option
@pass_app
def withdraw(app: App, ref: str, reason: str | None, json: bool) -> None:
    """Withdraw a release."""
    for number in _numbers(app, ref):
        path = f"/agent-releases/{number}/withdraw"
        _show(app, app.client.send("POST", path, body={"reason": reason}), json)


def _numbers(app: App, ref: str) -> list[str]:
    """Return the numbers of what is offered under a version (for each system one), or the number given."""
    found = app.client.items("/agent-releases").items
    offered = [
        text_at(each, "id") or ""
        for each in found
        if ref in (text_at(each, "version"), text_at(each, "id"))
        and text_at(each, "withdrawn_at") is None
    ]
    if not offered:
        raise KiemkeError(
            _("no release {ref} is offered").format(ref=ref), remedy=_("kiemke update list")
        )
    return offered


def _show(app: App, made: object, json: bool) -> None:
    if json:
        app.write(as_json(made) + "\n")
    else:
        show_one(app, _("Release of the agent"), FIELDS, made if isinstance(made, dict) else {})


def _read_password(*, twice: bool = False) -> str:
    """Return the key's password from the keyboard, or the first line of standard input."""
    if sys.stdin.isatty():
        found: str = click.prompt(
            _("Password of the signing key"), hide_input=True, confirmation_prompt=twice, err=True
        )
    else:
        found = sys.stdin.readline().rstrip("\r\n")
    if len(found) < 8:
        raise KiemkeError(
            _("the password is too short"), remedy=_("take 8 characters or more, best a sentence")
        )
    return found
