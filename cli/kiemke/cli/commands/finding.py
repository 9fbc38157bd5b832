"""kiemke finding: what the system found amiss and a person should look at."""

from dataclasses import replace

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, words
from kiemke.cli.listing import (
    Shape,
    Times,
    items_where,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Record, text_at
from kiemke.cli.tables import Column

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Kind"), "kind", words("finding")),
    Column(N_("About"), "subject", flexible=True),
    Column(N_("What"), "detail", flexible=True, least=24),
    Column(N_("Since"), "opened_at", MOMENT, optional=1),
    Column(N_("Closed"), "closed_at", MOMENT, optional=2),
)
# What to type stands behind this in a finding's text.
_STEP = " | "
NEXT = Column(N_("Type next"), "next", below=True)


@click.group(
    "finding",
    cls=Group,
    help=N_("What the system found amiss."),
    examples=("kiemke finding list", "kiemke phat-hien list --csv"),
)
def finding() -> None:
    """Hold the verbs."""


@finding.command(
    "list",
    alias="danh-sach",
    help=N_("List findings: clones, ambiguous serials, reports set aside, ..."),
    examples=("kiemke finding list", "kiemke phat-hien list --kind clone --json"),
)
@option("--kind", metavar=N_("KIND"), help=N_("Only findings of this kind."))
@option("--closed", "--da-dong", "closed", is_flag=True, help=N_("Closed ones too."))
@search_options
@time_options
@shape_options
@pass_app
def list_(
    app: App, kind: str | None, closed: bool, unit: str | None, search: str | None, times: Times,
    shape: Shape,
) -> None:  # fmt: skip
    """List findings."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
        "closed": "true" if closed else None,
    }
    listing = items_where(app, "/findings", asked, shape, kind=kind)
    if not (shape.json or shape.csv):
        listing = replace(listing, items=tuple(map(_with_step, listing.items)))
    show(app, _("Findings"), COLUMNS if shape.csv else (*COLUMNS, NEXT), listing, shape)


def _with_step(row: Record) -> Record:
    """Return a finding with what is to be typed next apart from what it says."""
    what, _bar, step = (text_at(row, "detail") or "").rpartition(_STEP)
    return {**row, "detail": what, "next": step} if step.startswith("kiemke") and what else row
