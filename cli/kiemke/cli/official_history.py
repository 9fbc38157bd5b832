"""kiemke official history: who an official was, where, as what, each with its paper."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import ServerProblem
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import THING, words
from kiemke.cli.listing import Times, json_option, time_options
from kiemke.cli.pick import NOT_EXACT, OFFICIAL, reference
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.spans import CORRECTED, SPAN, WRITTEN, mark_corrected
from kiemke.cli.tables import Column, as_json, draw

PERSONS = (
    *SPAN,
    Column(N_("Full name"), "says.name", flexible=True),
    Column(N_("Phone"), "says.phone", optional=1),
    Column(N_("Mailbox"), "says.mailbox", optional=2),
    Column(N_("Account"), "says.account", optional=3),
    *WRITTEN,
)
MEMBERSHIPS = (
    *SPAN,
    Column(N_("Unit"), "says.unit", THING),
    Column(N_("Kind"), "says.kind", words("official_kind"), optional=3),
    Column(N_("Post"), "says.post", flexible=True),
    Column(N_("Part-time duty"), "part_time", optional=2),
    Column(N_("Ended"), "says.ended_as", words("ending"), optional=1),
    *WRITTEN,
)
ABSENCES = (
    *SPAN,
    Column(N_("Reason"), "says.reason", words("absence")),
    *WRITTEN,
)


def tables(app: App, history: object, all_: bool = False) -> None:
    """Print an official's dated rows; what was corrected only with ``all_``."""
    for columns, key in (
        (PERSONS, "persons"),
        (MEMBERSHIPS, "memberships"),
        (ABSENCES, "absences"),
    ):
        rows = [
            mark_corrected(_with_duty(row))
            for row in records_of(dig(history, key))
            if all_ or not row.get("voided")
        ]
        if rows:
            shown = (*columns, CORRECTED) if all_ else columns
            app.say("", *draw(shown, rows, app.width(), app.zone).lines)


def _with_duty(row: Record) -> Record:
    """Add whether a membership is part-time and of which sort; a primary one says nothing."""
    if dig(row, "says.is_primary") is not False:
        return row
    duty = text_at(row, "says.duty")
    render = words("duty").render
    return {**row, "part_time": render(duty, figures.zone_of(None)) if duty else _("yes")}


def ask_by_name(
    app: App, ref: str, parameters: Mapping[str, str | int | None], ask: Callable[[str], object]
) -> object:
    """Ask about an official by code; what is no code is looked for by name, phone or mailbox."""
    try:
        return ask(ref)
    except ServerProblem as problem:
        if problem.status not in NOT_EXACT:
            raise
        code = reference(app, OFFICIAL, ref, parameters)
        if code in (None, ref):
            raise
        return ask(str(code))


@click.command(
    "history",
    cls=Command,
    alias="lich-su",
    help=N_(
        "Show who an official was, where, as what, and when absent, each with its paper. --all shows "
        "what was corrected too."
    ),
    examples=("kiemke official history CB9", "kiemke can-bo lich-su CB9 --known-at 05/01/2026"),
)
@argument("ref", metavar=N_("OFFICIAL"))
@option("--all", "--tat-ca", "all_", is_flag=True, help=N_("What was corrected since, too."))
@time_options
@json_option
@pass_app
def history(app: App, ref: str, all_: bool, times: Times, json: bool) -> None:
    """Show an official's history."""

    def read(code: str) -> object:
        return app.client.get(f"/officials/{quote(code, safe='')}/history", times.parameters())

    told = ask_by_name(app, ref, times.parameters(), read)
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(_("History: {code}").format(code=text_at(told, "code") or ref))
    tables(app, told, all_)
