"""kiemke audit: who changed what, when, from where, by which paper; with before and after."""

from dataclasses import replace

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT
from kiemke.cli.listing import Shape, Times, shape_options, show, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Record, dig
from kiemke.cli.tables import Column

COLUMNS = (
    Column(N_("When"), "at", MOMENT),
    Column(N_("By"), "who", flexible=True),
    Column(N_("Act"), "act"),
    Column(N_("About"), "subject", flexible=True),
    Column(N_("Before → after"), "changed", flexible=True, least=24),
    Column(N_("Paper"), "paper", flexible=True, optional=1),
    Column(N_("From where"), "origin.address", optional=2),
)


@click.group(
    "audit",
    cls=Group,
    help=N_("Who changed what, when and by which paper. Nobody can write it over."),
    examples=("kiemke audit list", "kiemke nhat-ky list --don-vi TG-XA"),
)
def audit() -> None:
    """Hold the verbs."""


@audit.command(
    "list",
    alias="danh-sach",
    help=N_(
        "List the entries, newest first. Who is responsible for some units sees the entries that "
        "concern these units alone."
    ),
    examples=(
        "kiemke audit list --limit 50",
        "kiemke nhat-ky list --don-vi TG-XA --ngay 31/12/2026 --json",
    ),
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"),
        help=N_("Only this unit and those below it."))  # fmt: skip
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, times: Times, shape: Shape) -> None:
    """List entries."""
    asked = {**times.parameters(), "unit": reference(app, UNIT, unit)}
    listing = app.client.items("/audit", asked, shape.rows)
    if not shape.json:
        told = tuple({**entry, "changed": changed(entry)} for entry in listing.items)
        listing = replace(listing, items=told)
    show(app, _("The audit log"), COLUMNS, listing, shape)


def changed(entry: Record) -> str | None:
    """Return what an entry changed as "name: before → after", None when it names no value."""
    before, after = dig(entry, "before"), dig(entry, "after")
    sides = [side if isinstance(side, dict) else {} for side in (before, after)]
    told = []
    for name in dict.fromkeys((*sides[0], *sides[1])):
        old, new = (side.get(name) for side in sides)
        if old == new:
            continue
        told.append(
            f"{name}: {_said(new)}" if old is None else f"{name}: {_said(old)} → {_said(new)}"
        )
    return "; ".join(told) or None


def _said(value: object) -> str:
    return "–" if value is None else str(value)
