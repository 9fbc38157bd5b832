"""kiemke link: lines with their contract, load and health."""

import click

from kiemke.cli import reasons
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import BITS, COUNT, DAY, LATENCY, RATIO, THING, TOTAL, words
from kiemke.cli.listing import (
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    show_one,
    time_options,
)
from kiemke.cli.pick import LINK, UNIT, pick, reference
from kiemke.cli.records import dig, records_of
from kiemke.cli.tables import Column, as_json, draw

COLUMNS = (
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Contract"), "down_bits_per_second", BITS),
    Column(N_("State"), "state", words("link_state"), optional=4),
    Column(N_("Health"), "verdict", words("verdict")),
    Column(N_("p95\ndown"), "p95_receive_ratio", RATIO, optional=1),
    Column(N_("p95\nup"), "p95_transmit_ratio", RATIO, optional=2),
    Column(N_("Avail-\nability"), "availability_ratio", RATIO, optional=3),
)
FIELDS = (
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name"),
    Column(N_("Unit"), "unit", THING),
    Column(N_("Shared by"), "shared_by", THING),
    Column(N_("Kind"), "kind", words("link_kind")),
    Column(N_("Provider"), "provider"),
    Column(N_("Contracted down"), "down_bits_per_second", BITS),
    Column(N_("Contracted up"), "up_bits_per_second", BITS),
    Column(N_("State"), "state", words("link_state")),
    Column(N_("Health"), "verdict", words("verdict")),
    Column(N_("Because"), "reasons", reasons.KIND),
    Column(N_("Figures rest on"), "basis", words("basis")),
    Column(N_("Device"), "device"),
    Column(N_("Port"), "interface_name"),
    Column(N_("Asked how"), "asked_by", words("asked_by")),
    Column(N_("Cheapest improvement"), "hint", words("link_hint")),
    Column(N_("Now, down"), "receive_bits_per_second", BITS),
    Column(N_("Now, up"), "transmit_bits_per_second", BITS),
    Column(N_("p95 down (7 days)"), "p95_receive_ratio", RATIO),
    Column(N_("p95 up (7 days)"), "p95_transmit_ratio", RATIO),
    Column(N_("Share of time measured"), "sample_coverage_ratio", RATIO),
    Column(N_("Availability (30 days)"), "availability_ratio", RATIO),
    Column(N_("Delivered of contract, down"), "delivered_receive_ratio", RATIO),
    Column(N_("Delivered of contract, up"), "delivered_transmit_ratio", RATIO),
    Column(N_("Packet loss"), "packet_loss_ratio", RATIO),
    Column(N_("Round trip"), "round_trip_seconds", LATENCY),
    Column(N_("Jitter"), "jitter_seconds", LATENCY),
    Column(N_("Negotiated speed"), "negotiated_bits_per_second", BITS),
    Column(N_("Duplex"), "duplex", words("duplex")),
)
DAYS = (
    Column(N_("Day"), "day", DAY),
    Column(N_("Rests on"), "basis", words("basis"), optional=1),
    Column(N_("Known s"), "known_seconds", COUNT),
    Column(N_("Up s"), "up_seconds", COUNT),
    Column(N_("Octets down"), "receive_octets", TOTAL),
    Column(N_("Octets up"), "transmit_octets", TOTAL),
)
PCS_DAYS = (
    Column(N_("Day"), "day", DAY),
    Column(N_("PCs"), "pcs", COUNT),
    Column(N_("of PCs"), "pcs_expected", COUNT),
    Column(N_("Counted s"), "counted_seconds", COUNT),
    Column(N_("PCs received, octets"), "receive_octets", TOTAL),
    Column(N_("PCs sent, octets"), "transmit_octets", TOTAL),
)


@click.group(
    "link",
    cls=Group,
    help=N_("Lines: contract, load and health."),
    examples=("kiemke link list", "kiemke duong-truyen show DT-TG-01"),
)
def link() -> None:
    """Hold the verbs."""


@link.command(
    "list",
    alias="danh-sach",
    help=N_("List lines with their contract and health."),
    examples=("kiemke link list", "kiemke duong-truyen list --don-vi TG --wide"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List lines."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Lines"), COLUMNS, app.client.items("/links", asked, shape.rows), shape)


@link.command(
    "show",
    alias="xem",
    help=N_("Show one line: contract, load, health and its reasons, and its days."),
    examples=("kiemke link show DT-TG-01", "kiemke duong-truyen xem 'minh khai' --json"),
)
@argument("ref", metavar=N_("LINE"))
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, times: Times, json: bool) -> None:
    """Show a line."""
    found = pick(app, LINK, ref, times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Line"), FIELDS, found)
    days = records_of(dig(found, "days"))
    if days:
        app.say("", *draw(DAYS, days, app.width(), app.zone).lines)
    sums = records_of(dig(found, "pcs_days"))
    if sums:
        app.say(
            "",
            _(
                "Sum of the PCs: no figure of the line. What PCs say to each other is in it; phones,"
                " guests and PCs without an agent are not. Late reports change past days."
            ),
            *draw(PCS_DAYS, sums, app.width(), app.zone).lines,
        )
