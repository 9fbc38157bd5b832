"""kiemke indicator: figures that no machine can measure, beside their targets."""

from datetime import tzinfo

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, THING, Kind, words
from kiemke.cli.listing import (
    DayType,
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Listing, Record, dig, text_at
from kiemke.cli.tables import Column, as_json
from kiemke.cli.words import word

SAID = Kind(lambda value, zone: value if isinstance(value, str) else None, number=True)


def _reached(value: object, zone: tzinfo) -> str | None:
    return None if not isinstance(value, bool) else word("reached", "yes" if value else "no")


COLUMNS = (
    Column(N_("Code"), "code", optional=3),
    Column(N_("Indicator"), "name", flexible=True, least=16),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Actual"), "shown.actual", SAID),
    Column(N_("Target"), "shown.target", SAID),
    Column(N_("Reached"), "reached", Kind(_reached)),
    Column(N_("Since"), "actual.since", DAY, optional=1),
    Column(N_("Source"), "actual.source", flexible=True, optional=2),
)
CSV_COLUMNS = (
    Column(N_("Day"), "day", DAY),
    Column(N_("Code"), "code"),
    Column(N_("Indicator"), "name"),
    Column(N_("Unit"), "unit.code"),
    Column(N_("Name"), "unit.name"),
    Column(N_("Measure"), "measure", words("indicator_measure")),
    Column(N_("Actual"), "shown.actual", SAID),
    Column(N_("Since"), "actual.since", DAY),
    Column(N_("Source"), "actual.source"),
    Column(N_("Paper"), "actual.instrument"),
    Column(N_("Target"), "shown.target", SAID),
    Column(N_("Paper"), "target.instrument"),
    Column(N_("Reached"), "reached", Kind(_reached)),
)


@click.group(
    "indicator",
    cls=Group,
    otherwise=("list",),
    help=N_(
        "Figures that no machine can measure, beside their targets. Without a verb: all of them."
    ),
    examples=("kiemke indicator", "kiemke chi-tieu list --don-vi TG --ngay 31/12/2025"),
)
def indicator() -> None:
    """List them when no verb is given."""


@indicator.command(
    "list",
    alias="danh-sach",
    help=N_("List indicators: what is, what shall be, and whether it is reached."),
    examples=("kiemke indicator list --unit TG", "kiemke chi-tieu danh-sach --csv"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List indicators."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    listing = app.client.items("/indicators", asked, shape.rows)
    if not shape.json:
        listing = Listing(tuple(_told(row) for row in listing.items), listing.total)
    show(app, _("Indicators"), CSV_COLUMNS if shape.csv else COLUMNS, listing, shape)


def _told(row: Record) -> Record:
    """Return a row with both figures written as their measure is."""
    shown = {
        role: _amount(dig(row, f"{role}.amount"), text_at(row, "measure"))
        for role in ("actual", "target")
    }
    return {**row, "shown": shown}


def _amount(value: object, measure: str | None) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if measure == "percent":
        return f"{figures.trimmed(value * 100, 4)} %"
    return figures.dong(int(value)) if measure == "dong" else figures.trimmed(float(value), 6)


@indicator.command(
    "set",
    alias="ghi-so",
    help=N_(
        "Record a unit's actual figure or target from a day on. A new code needs a name and a "
        "measure. Nothing is written without --apply."
    ),
    examples=(
        'kiemke indicator set HL --unit TG --name "…" --measure percent --target "90 %"',
        'kiemke chi-tieu ghi-so HL --don-vi TG --thuc-hien "92,5 %" --nguon "…" --ghi',
    ),
)
@argument("code", metavar=N_("CODE"))
@option("--unit", "--don-vi", "unit", required=True, metavar=N_("UNIT"), help=N_("Whose it is."))
@option(
    "--actual",
    "--thuc-hien",
    "actual",
    metavar=N_("FIGURE"),
    help=N_("What is: 94 %, 5.060, 6,3 tỷ, 89,31."),
)
@option("--target", "--muc-tieu", "target", metavar=N_("FIGURE"), help=N_("What shall be."))
@option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("What the indicator is called."))
@option(
    "--measure", "--cach-do", "measure", metavar=N_("MEASURE"),
    type=Choice("indicator_measure"),
    help=N_("How it is measured: percent, count, dong, score, rank."),
)  # fmt: skip
@option(
    "--more-is-better/--less-is-better", "--cao-tot/--thap-tot", "more", default=None,
    help=N_("Which way is good; more if not given."),
)  # fmt: skip
@option(
    "--day", "--ngay", "day", type=DayType(), metavar=N_("DAY"),
    help=N_("Since when; today if not given."),
)  # fmt: skip
@option("--source", "--nguon", "source", metavar=N_("TEXT"), help=N_("Who measured it."))
@option("--paper", "--so", "paper", metavar=N_("NUMBER"), help=N_("Number of the paper."))
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def set_(
    app: App, code: str, unit: str, actual: str | None, target: str | None, name: str | None,
    measure: str | None, more: bool | None, day: str | None, source: str | None,
    paper: str | None, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Record a figure."""
    told = app.client.send(
        "POST",
        "/indicators",
        parameters={"apply": "true" if apply else "false"},
        body={
            "code": code,
            "unit": reference(app, UNIT, unit),
            "actual": actual,
            "target": target,
            "name": name,
            "measure": measure,
            "more_is_better": more,
            "day": day,
            "source": source,
            "instrument": paper,
        },
    )
    if json:
        app.write(as_json(told) + "\n")
        return
    app.say(f"{text_at(told, 'code')}: {word('change', text_at(told, 'outcome') or '')}")
    if dig(told, "applied") is True:
        app.say(_("Written."))
    else:
        app.say(_("Nothing was written yet. The same command with --apply does it."))
