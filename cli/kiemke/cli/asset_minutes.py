"""kiemke asset minutes, signed: handovers that were written, and whose minutes are signed."""

from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, THING
from kiemke.cli.listing import DayType, Shape, search_options, shape_options, show
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.tables import Column

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Day"), "day", DAY),
    Column(N_("Paper"), "instrument", flexible=True),
    Column(N_("From"), "giver_unit", THING, flexible=True),
    Column(N_("Giver"), "giver", flexible=True, optional=2),
    Column(N_("To"), "receiver_unit", THING, flexible=True),
    Column(N_("Receiver"), "receiver", flexible=True, optional=2),
    Column(N_("Assets"), "assets", flexible=True, optional=1),
    Column(N_("Signed"), "signed_on", DAY),
)


@click.command(
    "minutes",
    cls=Command,
    alias="bien-ban",
    help=N_("List written handovers, with the day both sides had signed the minutes."),
    examples=("kiemke asset minutes --unsigned", "kiemke tai-san bien-ban --chua-ky --json"),
)
@option("--unsigned", "--chua-ky", "unsigned", is_flag=True,
        help=N_("Only those that wait for signatures."))  # fmt: skip
@search_options
@shape_options
@pass_app
def minutes(app: App, unsigned: bool, unit: str | None, search: str | None, shape: Shape) -> None:
    """List handovers."""
    asked = {
        "unit": reference(app, UNIT, unit),
        "q": search,
        "unsigned": "true" if unsigned else None,
    }
    show(app, _("Handovers"), COLUMNS, app.client.items("/handovers", asked, shape.rows), shape)


@click.command(
    "signed",
    cls=Command,
    alias="da-ky",
    help=N_("Say that both sides have signed the minutes of a handover."),
    examples=(
        "kiemke asset signed 7 --date 05/12/2026",
        "kiemke tai-san da-ky 7 --ngay 05/12/2026",
    ),
)
@argument("number", metavar=N_("NUMBER"))
@option("--date", "--ngay", "day", required=True, type=DayType(), metavar=N_("DAY"),
        help=N_("Day of the last signature."))  # fmt: skip
@pass_app
def signed(app: App, number: str, day: str) -> None:
    """Record signatures."""
    app.client.send("POST", f"/handovers/{quote(number, safe='')}/signed", body={"day": day})
    app.say(_("Written."))


COMMANDS = (minutes, signed)
