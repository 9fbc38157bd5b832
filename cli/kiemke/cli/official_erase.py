"""kiemke official erase: take who a person was out of the ledgers and the log, by two persons."""

from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.listing import json_option
from kiemke.cli.records import dig, text_at
from kiemke.cli.tables import as_json


@click.command(
    "erase",
    cls=Command,
    alias="xoa-thong-tin",
    help=N_(
        "Erase who a person was who left: name, phone, mailbox, account, in the ledgers and in the "
        "log. Codes, posts and things held stay. With --apply it waits for another person's yes."
    ),
    examples=(
        "kiemke official erase CB9 --paper 12/QĐ",
        "kiemke can-bo erase CB9 --paper 12/QĐ --apply",
    ),
)
@argument("ref", metavar=N_("OFFICIAL"))
@option(
    "--paper", "--so", "paper", required=True, metavar=N_("NUMBER"), help=N_("Number of the paper.")
)
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def erase(app: App, ref: str, paper: str, apply: bool, json: bool) -> None:
    """Erase a person."""
    told = app.client.send(
        "POST",
        f"/officials/{quote(ref, safe='')}/erase",
        parameters={"apply": "true" if apply else "false"},
        body={"instrument": paper},
    )
    if json:
        app.write(as_json(told) + "\n")
        return
    text = _("{code} becomes “{name}”; nobody can read who that was again.")
    app.say(text.format(code=text_at(told, "code"), name=text_at(told, "pseudonym")))
    number = dig(told, "approval")
    if number is None:
        app.say(_("Nothing was written yet. The same command with --apply does it."))
    else:
        app.say(
            _("It waits for another person's yes: kiemke approve yes {number}").format(
                number=number
            )
        )
