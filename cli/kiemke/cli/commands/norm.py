"""kiemke norm: equipment against the norms of the posts, by office and person."""

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, DONG, THING, words
from kiemke.cli.listing import Shape, Times, search_options, shape_options, show, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Listing, Record, dig, number_at, records_of
from kiemke.cli.tables import Column

COLUMNS = (
    Column(N_("Unit"), "unit.code"),
    Column(N_("Official"), "whose", flexible=True, least=12),
    Column(N_("Norm\ngroup"), "group", optional=4),
    Column(N_("Item"), "item", words("norm_item"), flexible=True, least=8),
    Column(N_("Al-\nlowed"), "entitled", COUNT),
    Column(N_("Has"), "has", COUNT),
    Column(N_("Lacks"), "lack", COUNT),
    Column(N_("Over"), "over", COUNT),
    Column(N_("Over price"), "over_dong", DONG, optional=1),
    Column(N_("Finding"), "findings", words("norm_finding"), flexible=True, least=14),
    Column(N_("Post"), "post", flexible=True, optional=5, least=12),
)
CSV_COLUMNS = (
    Column(N_("Day"), "day", DAY),
    Column(N_("Unit"), "unit.code"),
    Column(N_("Name"), "unit.name"),
    Column(N_("Official"), "official.code"),
    Column(N_("Full name"), "official", THING),
    Column(N_("Post"), "post"),
    Column(N_("Norm\ngroup"), "group"),
    Column(N_("Item"), "item", words("norm_item")),
    Column(N_("Staff"), "staff", COUNT),
    Column(N_("Al-\nlowed"), "entitled", COUNT),
    Column(N_("Has"), "has", COUNT),
    Column(N_("Lacks"), "lack", COUNT),
    Column(N_("Over"), "over", COUNT),
    Column(N_("Highest price"), "max_price_dong", DONG),
    Column(N_("Over price"), "over_dong", DONG),
    Column(N_("Assets over price"), "dear"),
    Column(N_("Who may decide"), "deciders", words("norm_decider")),
    Column(N_("Finding"), "findings", words("norm_finding")),
    Column(N_("Source"), "source"),
)
# Days and names are the same in every zone; the ones who write them ask for one.
_ZONE = figures.zone_of(None)


@click.group(
    "norm",
    cls=Group,
    otherwise=("list", "--finding", "any"),
    help=N_(
        "Equipment against the norms of the posts. Without a verb: whatever a person should look at."
    ),
    examples=("kiemke norm", "kiemke dinh-muc list --don-vi TG-X03 --finding over_price"),
)
def norm() -> None:
    """List what needs looking at when no verb is given."""


@norm.command(
    "list",
    alias="danh-sach",
    help=N_(
        "List each item of each office and person: what the norm allows at most, what is there, what "
        "is dearer than allowed, and whose post is in no group."
    ),
    examples=(
        "kiemke norm list --unit TG-X03",
        "kiemke dinh-muc list --finding unknown_post --csv",
        "kiemke dinh-muc list --ngay 30/06/2025 --finding over_price",
    ),
)
@option(
    "--finding",
    "--ket-luan",
    "finding",
    type=Choice("norm_finding", also=("any",)),
    metavar=N_("FINDING"),
    help=N_("Only with this finding: lack, over, over_price, unknown_post; any is all of them."),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(
    app: App, finding: str | None, unit: str | None, search: str | None, times: Times, shape: Shape
) -> None:
    """List norms."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
        "finding": finding,
    }
    listing = app.client.items("/norms", asked, shape.rows)
    if not shape.json:
        listing = Listing(tuple(_told(row) for row in listing.items), listing.total)
    show(app, _title(listing), CSV_COLUMNS if shape.csv else COLUMNS, listing, shape)


def _title(listing: Listing) -> str:
    day = DAY.render(dig(listing.items[0], "day"), _ZONE) if listing.items else None
    return _("Equipment against the norms on {day}").format(day=day) if day else _("Norms")


def _told(row: Record) -> Record:
    """Return a row with what its dear things come to, and the office named where nobody is."""
    dear = records_of(dig(row, "over_price"))
    over = [number_at(thing, "over_dong") or 0 for thing in dear]
    whose = dig(row, "official")
    return {
        **row,
        "whose": _("(the office)") if whose is None else THING.render(whose, _ZONE),
        "over_dong": sum(over) if dear else None,
        "dear": [dig(thing, "asset") for thing in dear],
        "deciders": sorted({str(dig(thing, "decider")) for thing in dear}),
    }
