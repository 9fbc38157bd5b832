"""kiemke official: officials, their units and posts."""

import click

from kiemke.cli import official_acts, official_erase
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import THING, words
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
from kiemke.cli.pick import OFFICIAL, UNIT, pick, reference
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.tables import Column, as_json
from kiemke.cli.words import word

COLUMNS = (
    Column(N_("Code"), "code"),
    Column(N_("Full name"), "name", flexible=True),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Post"), "post", flexible=True, optional=1),
    Column(N_("Kind"), "kind", words("official_kind"), optional=3),
    Column(N_("Phone"), "phone", optional=2),
)
FIELDS = (
    *COLUMNS,
    Column(N_("Part-time duty"), "part_time", flexible=True),
    Column(N_("Mailbox"), "mailbox"),
    Column(N_("Account"), "account"),
)


@click.group(
    "official",
    cls=Group,
    help=N_("Officials and their posts."),
    examples=("kiemke official list", "kiemke can-bo show 0900000123"),
)
def official() -> None:
    """Hold the verbs."""


@official.command(
    "list",
    alias="danh-sach",
    help=N_("List officials, by given name."),
    examples=("kiemke official list --don-vi TG-VP", "kiemke can-bo list --tim nguyen"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List them."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Officials"), COLUMNS, app.client.items("/officials", asked, shape.rows), shape)


@official.command(
    "show",
    alias="xem",
    help=N_("Show one official, by code, phone or part of the name."),
    examples=("kiemke official show 0900000123", "kiemke can-bo xem 'nguyen van an'"),
)
@argument("ref", metavar=N_("OFFICIAL"))
@time_options
@json_option
@pass_app
def show_(app: App, ref: str, times: Times, json: bool) -> None:
    """Show one."""
    found = pick(app, OFFICIAL, ref, times.parameters())
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Official"), FIELDS, {**found, "part_time": _duties(found)})


def _duties(found: Record) -> str | None:
    """Return part-time duties in words: "IT officer, Xã Tân Minh"; None for none."""
    told = []
    for duty in records_of(dig(found, "duties")):
        code = text_at(duty, "duty")
        what = word("duty", code) if code else text_at(duty, "post")
        told.append(", ".join(part for part in (what, text_at(duty, "unit.name")) if part))
    return "; ".join(told) or None


for act in (*official_acts.COMMANDS, official_erase.erase):
    official.add_command(act)
