"""kiemke device change, retire, history: what a device is called, what it is and whose, by date."""

from typing import Any
from urllib.parse import quote

import click

from kiemke.cli.acts import act, say_change
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, THING, words
from kiemke.cli.listing import DayType, Times, json_option, time_options
from kiemke.cli.pick import DEVICE, pick, reference
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.tables import Column, as_json, draw

FIELDS = (
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Kind"), "kind", words("thing")),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Asset"), "asset"),
)
VERSIONS = (
    Column(N_("Since"), "valid_from", DAY),
    Column(N_("Until"), "valid_to", DAY),
    *FIELDS,
    Column(N_("Paper"), "instrument", flexible=True),
    Column(N_("Recorded by"), "recorded_by", optional=2),
    Column(N_("Recorded"), "recorded_at", MOMENT, optional=3),
)


def _paper_options(command: Any) -> Any:
    """Give a command --day/--ngay and --paper/--so, which may both be left out, --apply and --json."""
    for wrap in (
        json_option,
        option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it.")),
        option("--paper", "--so", "paper", metavar=N_("NUMBER"),
               help=N_("Number of the decision.")),
        option("--day", "--ngay", "day", type=DayType(), metavar=N_("DAY"),
               help=N_("Day it takes effect; today when left out.")),
    ):  # fmt: skip
        command = wrap(command)
    return command


def _send(
    app: App, ref: str, body: dict[str, Any], *, day: str | None, paper: str | None, apply: bool,
    json: bool,
) -> None:  # fmt: skip
    code = reference(app, DEVICE, ref) or ""
    body |= {name: value for name, value in (("day", day), ("instrument", paper)) if value}
    path = f"/devices/{quote(code, safe='')}/acts"
    told = act(app, "POST", path, body, apply=apply, json=json)
    if not json:
        say_change(app, _("Device {code}").format(code=code), FIELDS, told)


@click.command(
    "change",
    cls=Command,
    alias="doi",
    help=N_("Say what a device is from a day on: code, name, kind, unit, asset."),
    examples=(
        "kiemke device change SW-01 --unit TG-TP --day 01/03/2026 --paper 'QĐ 12'",
        "kiemke thiet-bi doi SW-01 --name 'Bộ chuyển mạch tầng 2' --apply",
    ),
)
@argument("ref", metavar=N_("DEVICE"))
@option("--code", "--ma", "code", metavar=N_("CODE"), help=N_("Its code from then on."))
@option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("Its name from then on."))
@option("--kind", "--loai", "kind", metavar=N_("KIND"), help=N_("What it is, e.g. switch."))
@option("--unit", "--don-vi", "unit", metavar=N_("CODE"), help=N_("Code of the unit."))
@option("--asset", "--tai-san", "asset", metavar=N_("CODE"), help=N_("The asset it is."))
@option("--no-asset", "--khong-tai-san", "no_asset", is_flag=True, help=N_("It is no asset."))
@option("--correct", "--dinh-chinh", "correction", is_flag=True,
        help=N_("It was always so: corrects the whole span in force on the day."))  # fmt: skip
@_paper_options
@pass_app
def change(
    app: App, /, ref: str, asset: str | None, no_asset: bool, correction: bool, day: str | None,
    paper: str | None, apply: bool, json: bool, **said: str | None,
) -> None:  # fmt: skip
    """Change what a device is."""
    body: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if asset is not None or no_asset:
        body["asset"] = None if no_asset else asset
    if not body:
        raise click.UsageError(_("nothing to change; give --name, --unit or another option"))
    body |= {"act": "change", "correction": correction}
    _send(app, ref, body, day=day, paper=paper, apply=apply, json=json)


@click.command(
    "retire",
    cls=Command,
    alias="ngung",
    help=N_("Take a device out of use: it is polled no more, its match with an asset ends."),
    examples=("kiemke device retire SW-01 --day 01/03/2026 --paper 'QĐ 12' --apply",),
)
@argument("ref", metavar=N_("DEVICE"))
@_paper_options
@pass_app
def retire(app: App, ref: str, day: str | None, paper: str | None, apply: bool, json: bool) -> None:
    """End a device."""
    _send(app, ref, {"act": "retire"}, day=day, paper=paper, apply=apply, json=json)


@click.command(
    "history",
    cls=Command,
    alias="lich-su",
    help=N_("Show what a device was called, what it was and whose, and by which papers."),
    examples=("kiemke device history SW-01", "kiemke thiet-bi lich-su SW-01 --json"),
)
@argument("ref", metavar=N_("DEVICE"))
@time_options
@json_option
@pass_app
def history(app: App, ref: str, times: Times, json: bool) -> None:
    """Show the versions of a device."""
    code = text_at(pick(app, DEVICE, ref, times.parameters()), "code") or ref
    found = app.client.get(f"/devices/{quote(code, safe='')}/history", times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    rows = [row for row in records_of(dig(found, "versions")) if not row.get("voided")]
    app.say(*draw(VERSIONS, rows, app.width(), app.zone).lines)
