"""kiemke device why, same, other: which hardware answers as a device, and a person's word on it."""

from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, words
from kiemke.cli.listing import Times, json_option, time_options
from kiemke.cli.pick import DEVICE, reference
from kiemke.cli.records import dig, records_of
from kiemke.cli.tables import Column, as_json, draw

HARDWARE = (
    Column(N_("Hardware"), "hardware"),
    Column(N_("From"), "valid_from", DAY),
    Column(N_("Until"), "valid_to", DAY),
    Column(N_("Maker"), "vendor", optional=2),
    Column(N_("Model"), "model", flexible=True, optional=2),
    Column(N_("Serial number"), "serial", flexible=True),
    Column(N_("Decided by"), "decided_by", words("decided_by")),
    Column(N_("Before"), "moved_from", optional=1),
    Column(N_("Identified"), "seen_at", MOMENT, optional=3),
)


def _say(app: App, ref: str, said: str, told: str, json: bool) -> None:
    code = reference(app, DEVICE, ref) or ""
    path = f"/devices/{quote(code, safe='')}/identity"
    done = app.client.send("POST", path, body={"said": said})
    if json:
        app.write(as_json(done) + "\n")
    else:
        app.say(told.format(code=code))


@click.command(
    "why",
    cls=Command,
    alias="vi-sao",
    help=N_(
        "Tell which hardware answered as a device, from when until when, and how that is known."
    ),
    examples=("kiemke device why SW-01", "kiemke thiet-bi vi-sao SW-01 --json"),
)
@argument("ref", metavar=N_("DEVICE"))
@time_options
@json_option
@pass_app
def why(app: App, ref: str, times: Times, json: bool) -> None:
    """Tell the hardware of a device."""
    code = reference(app, DEVICE, ref) or ""
    found = app.client.get(f"/devices/{quote(code, safe='')}/why", times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    rows = records_of(dig(found, "hardware"))
    if rows:
        app.say(*draw(HARDWARE, rows, app.width(), app.zone).lines)
    else:
        app.say(_("It has not told what it is yet."))


@click.command(
    "same",
    cls=Command,
    alias="van-la",
    help=N_("Say that a device is the one it was: what was concluded otherwise is undone."),
    examples=("kiemke device same SW-01", "kiemke thiet-bi van-la SW-01"),
)
@argument("ref", metavar=N_("DEVICE"))
@json_option
@pass_app
def same(app: App, ref: str, json: bool) -> None:
    """Say that it is the same."""
    _say(app, ref, "same", _("Undone."), json)


@click.command(
    "other",
    cls=Command,
    alias="la-khac",
    help=N_("Say that a device is another one than before: its match with an asset ends."),
    examples=("kiemke device other SW-01", "kiemke thiet-bi la-khac SW-01"),
)
@argument("ref", metavar=N_("DEVICE"))
@json_option
@pass_app
def other(app: App, ref: str, json: bool) -> None:
    """Say that it is another."""
    _say(app, ref, "other", _("Taken note of; see it with: kiemke device why {code}"), json)
