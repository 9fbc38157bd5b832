"""kiemke asset: assets on the book and who holds them."""

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.asset_count import count
from kiemke.cli.asset_handover import handover
from kiemke.cli.asset_history import history
from kiemke.cli.asset_minutes import COMMANDS as MINUTES
from kiemke.cli.asset_papers import COMMANDS as PAPERS
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, DONG, THING, words
from kiemke.cli.listing import (
    Shape,
    Times,
    items_where,
    json_option,
    search_options,
    shape_options,
    show,
    show_one,
    time_options,
)
from kiemke.cli.pick import ASSET, UNIT, pick, reference
from kiemke.cli.tables import Column, as_json

COLUMNS = (
    Column(N_("Code"), "code"),
    Column(N_("Sticker"), "tag", optional=1),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Kind"), "kind", words("thing"), optional=4),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Held by"), "officials", THING, flexible=True),
    Column(N_("Condition"), "status", words("status"), optional=3),
)
FIELDS = (
    *COLUMNS,
    Column(N_("Manufacturer"), "manufacturer"),
    Column(N_("Model"), "model"),
    Column(N_("Serial number"), "serial"),
    Column(N_("Original cost"), "price_dong", DONG),
    Column(N_("In use since"), "in_use_since", DAY),
    Column(N_("Ownership"), "ownership", words("ownership")),
    Column(N_("Lender or provider"), "owner"),
    Column(N_("Due back"), "return_on", DAY),
    Column(N_("Carries no agent because"), "no_agent_reason", words("no_agent")),
    Column(N_("Place"), "place"),
    Column(N_("Machine"), "machine", THING),
)


@click.group(
    "asset",
    cls=Group,
    help=N_("Assets on the book and who holds them."),
    examples=("kiemke asset list --don-vi TG-VP", "kiemke tai-san show TEM-0042"),
)
def asset() -> None:
    """Hold the verbs."""


@asset.command(
    "list",
    alias="danh-sach",
    help=N_("List assets."),
    examples=("kiemke asset list --don-vi TG-VP", "kiemke tai-san list --status in_stock --csv"),
)
@option(
    "--status",
    "--tinh-trang",
    "status",
    type=Choice("status"),
    metavar=N_("CONDITION"),
    help=N_("Only assets in this condition: in_use, in_stock, broken, ..."),
)
@option(
    "--kind",
    "--loai",
    "kind",
    type=Choice("thing"),
    metavar=N_("KIND"),
    help=N_("Only assets of this kind: desktop, laptop, printer, ..."),
)
@option(
    "--ownership",
    "--so-huu",
    "ownership",
    type=Choice("ownership"),
    metavar=N_("WHOSE"),
    help=N_("Only what is owned, borrowed, the provider's, or unproven: a draft."),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(
    app: App,
    unit: str | None,
    search: str | None,
    status: str | None,
    kind: str | None,
    ownership: str | None,
    times: Times,
    shape: Shape,
) -> None:
    """List assets."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(
        app,
        _("Assets"),
        COLUMNS,
        items_where(app, "/assets", asked, shape, status=status, kind=kind, ownership=ownership),
        shape,
    )


@asset.command(
    "show",
    alias="xem",
    help=N_("Show one asset, by code, sticker, serial or part of its name."),
    examples=("kiemke asset show TEM-0042", "kiemke tai-san xem PC-0042 --json"),
)
@argument("ref", metavar=N_("ASSET"))
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, times: Times, json: bool) -> None:
    """Show one."""
    found = pick(app, ASSET, ref, times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Asset"), FIELDS, found)


asset.add_command(handover)
asset.add_command(count)
asset.add_command(history)
for verb in (*PAPERS, *MINUTES):
    asset.add_command(verb)
