"""kiemke coverage fit: of the verified officials, whose PC does for the work of their posts."""

from collections import Counter

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, THING, words
from kiemke.cli.listing import Shape, Times, search_options, shape_options, show, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import text_at
from kiemke.cli.tables import Column

COLUMNS = (
    Column(N_("Official"), "official", THING, flexible=True, least=14),
    Column(N_("Unit"), "unit.code"),
    Column(N_("Asset"), "asset", optional=2),
    Column(N_("Fit for\nthe work"), "fitness", words("fitness")),
    Column(N_("Lacks"), "missing", words("fit_need"), flexible=True, least=16),
    Column(N_("Not known"), "unknown", words("fit_need"), flexible=True, optional=1, least=16),
    Column(N_("What to do"), "next", below=True),
)
CSV_COLUMNS = (
    Column(N_("Day"), "day", DAY),
    Column(N_("Unit"), "unit.code"),
    Column(N_("Name"), "unit.name"),
    Column(N_("Code"), "official.code"),
    Column(N_("Full name"), "official", THING),
    Column(N_("Post"), "post"),
    Column(N_("Asset"), "asset"),
    Column(N_("Fit for\nthe work"), "fitness", words("fitness")),
    Column(N_("Lacks"), "missing", words("fit_need")),
    Column(N_("Not known"), "unknown", words("fit_need")),
    Column(N_("Memory needed (GiB)"), "needs.ram_gib", COUNT),
    Column(N_("Memory (GiB)"), "has.ram_gib", COUNT),
    Column(N_("Screen lines needed"), "needs.screen_height", COUNT),
    Column(N_("Screen lines"), "has.screen_height", COUNT),
)


@click.command(
    "fit",
    cls=Command,
    alias="dap-ung",
    help=N_(
        "Of the people whose PC was seen: whose does for the work of their posts, and what the others "
        "lack. What no agent tells is not known, never a lack."
    ),
    examples=(
        "kiemke coverage fit --unit TG-VP --fitness unfit",
        "kiemke ty-le dap-ung --ngay 14/10/2025 --csv",
    ),
)
@option(
    "--fitness",
    "--ket-luan",
    "fitness",
    type=Choice("fitness"),
    metavar=N_("FINDING"),
    help=N_("Only these: fit, unfit, fit_unknown."),
)
@search_options
@time_options
@shape_options
@pass_app
def fit(
    app: App, fitness: str | None, unit: str | None, search: str | None, times: Times, shape: Shape
) -> None:
    """List verified people by fitness."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
        "fitness": fitness,
    }
    listing = app.client.items("/coverage/fit", asked, shape.rows)
    columns = CSV_COLUMNS if shape.csv else COLUMNS
    show(app, _("PCs fit for the work"), columns, listing, shape)
    if shape.json or shape.csv or fitness or len(listing.items) != listing.total:
        return
    counted = Counter(text_at(row, "fitness") for row in listing.items)
    app.say(
        _("{fit} fit, {unfit} unfit, {unknown} not known, of {all} verified").format(
            fit=figures.count(counted["fit"]),
            unfit=figures.count(counted["unfit"]),
            unknown=figures.count(counted["fit_unknown"]),
            all=figures.count(len(listing.items)),
        )
    )
