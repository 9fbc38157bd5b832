"""kiemke reconcile: the book against what is seen, each difference with the next command."""

from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli import words as vocabulary
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, THING, words
from kiemke.cli.listing import Shape, Times, json_option, shape_options, show, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Listing, Record, dig, records_of, text_at
from kiemke.cli.tables import Column, as_json

COLUMNS = (
    Column(N_("Difference"), "kind", words("difference")),
    Column(N_("About"), "about", flexible=True, least=18),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Held by"), "official", THING, flexible=True, optional=3),
    Column(N_("Seen"), "seen", flexible=True, optional=2),
    Column(N_("Seen at"), "at", MOMENT, optional=4),
    Column(N_("Due back"), "return_on", DAY, optional=5),
    Column(N_("Type next"), "next", below=True),
)


@click.group(
    "reconcile",
    cls=Group,
    invoke_without_command=True,
    help=N_(
        "Compare the book with what is seen: never seen, not on the book, elsewhere, in other "
        "hands, hardware changed, holder left, due back. Each line names the next command."
    ),
    examples=(
        "kiemke reconcile --unit TG-VP",
        "kiemke doi-chieu --loai not_booked --wide",
        "kiemke reconcile settle 12 --paper 5/BB",
    ),
)
@option("--kind", "--loai", "kind", type=Choice("difference"),
        metavar=N_("DIFFERENCE"), help=N_("Only these differences: never_seen, elsewhere, ..."))  # fmt: skip
@option("--asset-kind", "--loai-tai-san", "asset_kind", type=Choice("thing"),
        metavar=N_("KIND"), help=N_("Only assets of this kind: desktop, laptop, switch, ..."))  # fmt: skip
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"),
        help=N_("Only this unit and those below it."))  # fmt: skip
@time_options
@shape_options
@click.pass_context
def reconcile(
    ctx: click.Context,
    kind: str | None,
    asset_kind: str | None,
    unit: str | None,
    times: Times,
    shape: Shape,
) -> None:
    """Compare, when no verb was given."""
    app = ctx.find_object(App)
    if ctx.invoked_subcommand is not None or app is None:
        return
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "kind": kind,
        "asset_kind": asset_kind,
    }
    found = app.client.items("/reconcile", asked, shape.rows)
    if not shape.json:
        found = Listing(tuple(_line(item) for item in found.items), found.total)
    show(app, _("The book against what is seen"), COLUMNS, found, shape)
    if not (shape.json or shape.csv):
        _sum(app, found)


def _line(item: Record) -> Record:
    """Return a difference with what it is about, and what was seen, as one text each."""
    names = ("asset.code", "hostname", "device.code")
    about = " · ".join(found for name in names if (found := text_at(item, name)))
    seen = [text_at(item, name) for name in ("seen_unit.name", "seen_official.name")]
    parts = [f"-{part}" for part in _texts(item, "gone")]
    parts += [f"+{part}" for part in _texts(item, "come")]
    text = ", ".join(part for part in (*seen, *parts) if part)
    return {**item, "about": about or text_at(item, "machine"), "seen": text or None}


def _texts(item: Record, name: str) -> list[str]:
    found = dig(item, name)
    return [str(part) for part in found] if isinstance(found, list) else []


def _sum(app: App, found: Listing) -> None:
    """Say how many of each kind are shown."""
    counts: dict[str, int] = {}
    for item in found.items:
        kind = text_at(item, "kind") or "?"
        counts[kind] = counts.get(kind, 0) + 1
    told = "; ".join(
        f"{vocabulary.word('difference', k)}: {figures.count(n)}" for k, n in counts.items()
    )
    if told and found.total is not None and found.total > len(found.items):
        told = _("Of those shown: {counts}").format(counts=told)
    if told:
        app.say("", told)


@reconcile.command(
    "settle",
    alias="xong",
    help=N_("Say by which paper the hardware of a PC changed; the difference is settled."),
    examples=("kiemke reconcile settle 12 --paper 5/BB", "kiemke doi-chieu xong 12 --so 5/BB"),
)
@argument("number", metavar=N_("NUMBER"))
@option("--paper", "--so", "paper", required=True, metavar=N_("NUMBER"),
        help=N_("Number of the paper."))  # fmt: skip
@json_option
@pass_app
def settle(app: App, number: str, paper: str, json: bool) -> None:
    """Settle one."""
    told = app.client.send(
        "POST",
        f"/reconcile/hardware/{quote(number, safe='')}/settle",
        body={"instrument": paper},
    )
    if json:
        app.write(as_json(told) + "\n")
        return
    (line,) = map(_line, records_of([told]))
    app.say(_("Settled: {what}").format(what=text_at(line, "seen") or number))
