"""kiemke asset handover: all a person or unit holds, or named things, to another; minutes to sign."""

from pathlib import Path

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.files import write_whole
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DONG, words
from kiemke.cli.listing import json_option
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.tables import Column, as_json, draw
from kiemke.cli.unit_change import read_day

ITEMS = (
    Column(N_("Code"), "code"),
    Column(N_("Sticker"), "tag"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Kind"), "kind", words("thing")),
    Column(N_("Original cost"), "price_dong", DONG),
    Column(N_("Residual"), "residual_dong", DONG, optional=1),
)


def _party(text: str, where: str) -> dict[str, str]:
    """Read ``official:CODE``, ``unit:CODE`` or ``place:CODE``. Raises KiemkeError."""
    kind, _colon, code = text.partition(":")
    kinds = {
        "official": "official",
        "can-bo": "official",
        "unit": "unit",
        "don-vi": "unit",
        "place": "place",
        "noi": "place",
    }
    if kind not in kinds or not code:
        raise KiemkeError(
            _("{value} names nobody").format(value=text),
            where=where,
            remedy=_("write it as official:CB01, unit:TG-VP or place:MC-01"),
        )
    return {kinds[kind]: code}


@click.command(
    "handover",
    cls=Command,
    alias="ban-giao",
    help=N_(
        "Hand over what an official or a unit holds, all of it or the assets named, and write the "
        "minutes to sign. From and to the same with --place: things go to another room, whoever "
        "answers for them does so still. Nothing is written without --apply."
    ),
    examples=(
        "kiemke asset handover --from official:A --to unit:TG-VP --day … --paper …",
        "kiemke tai-san ban-giao TS01 --tu unit:TG --cho official:A --ngay … --so …",
    ),
)
@argument("assets", nargs=-1, metavar=N_("[ASSET]..."))
@option(
    "--from",
    "--tu",
    "giver",
    required=True,
    metavar=N_("PARTY"),
    help=N_("Who gives: official:CODE, unit:CODE or place:CODE."),
)
@option(
    "--to",
    "--cho",
    "receiver",
    required=True,
    metavar=N_("PARTY"),
    help=N_("Who receives: official:CODE, unit:CODE or place:CODE."),
)
@option("--day", "--ngay", "day", required=True, metavar=N_("DAY"), help=N_("Day it takes effect."))
@option(
    "--paper",
    "--so",
    "paper",
    required=True,
    metavar=N_("NUMBER"),
    help=N_("Number of the decision."),
)
@option("--place", "--noi", "place", metavar=N_("PLACE"), help=N_("Where the things will stand."))
@option(
    "--minutes",
    "-o",
    "minutes",
    type=click.Path(path_type=Path),
    metavar=N_("FILE"),
    help=N_("Write the minutes to this HTML file."),
)
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def handover(
    app: App, assets: tuple[str, ...], giver: str, receiver: str, day: str, paper: str,
    place: str | None, minutes: Path | None, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Hand over equipment."""
    told = app.client.send(
        "POST",
        "/handovers",
        parameters={"apply": "true" if apply else "false"},
        body={
            "giver": _party(giver, "--from"),
            "receiver": _party(receiver, "--to"),
            "day": read_day(day),
            "instrument": paper,
            "assets": list(assets),
            "place": place,
        },
    )
    if minutes is not None:
        write_whole(minutes, [(text_at(told, "minutes_html") or "").encode()])
    if json:
        app.write(as_json(told) + "\n")
        return
    rows = records_of(dig(told, "items"))
    app.heading(
        _("From {giver} to {receiver}: {count} assets").format(
            giver=text_at(told, "giver"),
            receiver=text_at(told, "receiver"),
            count=figures.count(len(rows)),
        )
    )
    app.say(*draw(ITEMS, rows, app.width(), app.zone).lines)
    if minutes is not None:
        app.say(_("Minutes: {file}").format(file=minutes))
    if dig(told, "applied") is True:
        app.say("", _("Written."))
    else:
        app.say("", _("Nothing was written yet. The same command with --apply does it."))
