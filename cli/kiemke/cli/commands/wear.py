"""kiemke wear: the yearly wear (hao mòn) of fixed assets."""

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, DONG, THING, Kind, words
from kiemke.cli.listing import Shape, Times, search_options, shape_options, show, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Listing, number_at
from kiemke.cli.tables import Column

# A rate keeps its two decimals: 14.29 % is the law's own figure, 14.2 % is no rate at all.
RATE = Kind(
    lambda value, zone: (
        f"{figures.decimal(value * 100, 2)} %" if isinstance(value, float) else None
    ),
    number=True,
)
COLUMNS = (
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Unit"), "unit.code", optional=4),
    Column(N_("In use since"), "in_use_since", DAY, optional=3),
    Column(N_("Original cost"), "price_dong", DONG),
    Column(N_("Rate"), "rate", RATE),
    Column(N_("Wear of\nthe year"), "wear_dong", DONG),
    Column(N_("Accumulated"), "accumulated_dong", DONG, optional=5),
    Column(N_("Residual\nvalue"), "residual_dong", DONG, optional=1),
    Column(N_("Note"), "note", words("wear_note"), flexible=True, optional=2),
)
CSV_COLUMNS = (
    Column(N_("Year"), "year"),
    Column(N_("Day"), "day", DAY),
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name"),
    Column(N_("Kind"), "kind", words("thing")),
    Column(N_("Unit"), "unit.code"),
    Column(N_("Unit"), "unit", THING),
    Column(N_("In use since"), "in_use_since", DAY),
    Column(N_("Class"), "asset_class", words("asset_class")),
    Column(N_("Original cost"), "price_dong", DONG),
    Column(N_("Rate"), "rate", RATE),
    Column(N_("Years of use"), "life_years", COUNT),
    Column(N_("Wear of\nthe year"), "wear_dong", DONG),
    Column(N_("Accumulated"), "accumulated_dong", DONG),
    Column(N_("Residual\nvalue"), "residual_dong", DONG),
    Column(N_("Note"), "note", words("wear_note")),
    Column(N_("Source"), "source"),
)


@click.group(
    "wear",
    cls=Group,
    otherwise=("list",),
    help=N_("The yearly wear of fixed assets. Without a verb: this year's, asset by asset."),
    examples=("kiemke wear", "kiemke hao-mon list --nam 2026 --don-vi TG-VP"),
)
def wear() -> None:
    """List this year's when no verb is given."""


@wear.command(
    "list",
    alias="danh-sach",
    help=N_(
        "List owned assets with the wear of a year, what has gathered and what is left. Tools are "
        "listed and do not wear. The form by class: kiemke export wear."
    ),
    examples=(
        "kiemke wear list --year 2026 --unit TG-VP",
        "kiemke hao-mon list --nam 2025 --csv",
        "kiemke hao-mon list --ngay 31/12/2025 --json",
    ),
)
@option(
    "--year",
    "--nam",
    "year",
    type=click.IntRange(2000, 2999),
    metavar=N_("YEAR"),
    help=N_("The year to compute; that of the day asked about if not given."),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(
    app: App, year: int | None, unit: str | None, search: str | None, times: Times, shape: Shape
) -> None:
    """List wear."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
        "year": year,
    }
    listing = app.client.items("/wear", asked, shape.rows)
    show(app, _title(listing), CSV_COLUMNS if shape.csv else COLUMNS, listing, shape)
    if not shape.json and not shape.csv and len(listing.items) == listing.total:
        _say_sums(app, listing)


def _title(listing: Listing) -> str:
    first = listing.items[0] if listing.items else {}
    year = number_at(first, "year")
    if year is None:
        return _("Wear")
    if first.get("provisional") is True:
        return _("Wear of {year} (the year has not ended)").format(year=year)
    return _("Wear of {year}").format(year=year)


def _say_sums(app: App, listing: Listing) -> None:
    """Say what the rows come to; only where all of them are shown."""
    known = [row for row in listing.items if number_at(row, "wear_dong") is not None]
    if not known:
        return
    cost, charged, left = (
        figures.dong(sum(number_at(row, field) or 0 for row in known))
        for field in ("price_dong", "wear_dong", "residual_dong")
    )
    app.say(
        _("Fixed assets: {count}; original cost {cost}").format(
            count=figures.count(len(known)), cost=cost
        ),
        _("wear of the year {charged}; residual value {left}").format(charged=charged, left=left),
    )
