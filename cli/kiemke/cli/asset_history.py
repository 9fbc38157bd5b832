"""kiemke asset history: who answered for an asset, in which condition, by which papers."""

from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DONG, THING, words
from kiemke.cli.listing import Times, json_option, time_options
from kiemke.cli.pick import ASSET, pick
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.spans import CORRECTED, SPAN, WRITTEN, mark_corrected
from kiemke.cli.tables import Column, as_json, draw

CUSTODIES = (
    *SPAN,
    Column(N_("Unit"), "says.unit", THING, flexible=True),
    Column(N_("Held by"), "says.official", THING, flexible=True),
    Column(N_("Place"), "says.place", flexible=True, optional=1),
    *WRITTEN,
)
STATUSES = (*SPAN, Column(N_("Condition"), "says.status", words("status")), *WRITTEN)
FACTS = (
    *SPAN,
    Column(N_("Name"), "says.name", flexible=True),
    Column(N_("Sticker"), "says.tag", optional=1),
    Column(N_("Kind"), "says.kind", words("thing"), optional=3),
    Column(N_("Original cost"), "says.price_dong", DONG),
    Column(N_("Ownership"), "says.ownership", words("ownership"), optional=2),
    *WRITTEN,
)


@click.command(
    "history",
    cls=Command,
    alias="lich-su",
    help=N_(
        "Show who answered for an asset since when, in which condition it was, what it was called and "
        "cost, each with its paper. --all shows what was corrected too."
    ),
    examples=("kiemke asset history PC-0042", "kiemke tai-san lich-su TEM-0042 --tat-ca"),
)
@argument("ref", metavar=N_("ASSET"))
@option("--all", "--tat-ca", "all_", is_flag=True, help=N_("What was corrected since, too."))
@time_options
@json_option
@pass_app
def history(app: App, ref: str, all_: bool, times: Times, json: bool) -> None:
    """Show an asset's history."""
    code = text_at(pick(app, ASSET, ref, times.parameters()), "code") or ref
    told = app.client.get(f"/assets/{quote(code, safe='')}/history", times.parameters())
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(_("History: {code}").format(code=code))
    for columns, key in ((CUSTODIES, "custodies"), (STATUSES, "statuses"), (FACTS, "facts")):
        rows = [
            mark_corrected(row)
            for row in records_of(dig(told, key))
            if all_ or not row.get("voided")
        ]
        if rows:
            shown = (*columns, CORRECTED) if all_ else columns
            app.say("", *draw(shown, rows, app.width(), app.zone).lines)
