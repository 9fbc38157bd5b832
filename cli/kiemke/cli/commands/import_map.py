"""kiemke import-map: the column maps kept of imported files."""

from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT
from kiemke.cli.listing import Shape, shape_options, show
from kiemke.cli.tables import Column

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Table"), "template"),
    Column(N_("Agreed to at the file"), "file_name", flexible=True),
    Column(N_("By"), "saved_by", flexible=True),
    Column(N_("Since"), "saved_at", MOMENT),
)


@click.group(
    "import-map",
    cls=Group,
    help=N_("Which headings of foreign sheets were agreed to be which columns."),
    examples=("kiemke import-map list", "kiemke ban-do-cot forget 3"),
)
def import_map() -> None:
    """Hold the verbs."""


@import_map.command(
    "list",
    alias="danh-sach",
    help=N_("List the column maps kept of imported files."),
    examples=("kiemke import-map list", "kiemke ban-do-cot list --json"),
)
@shape_options
@pass_app
def list_(app: App, shape: Shape) -> None:
    """List the maps."""
    listing = app.client.items("/import-maps", None, shape.rows)
    show(app, _("Column maps"), COLUMNS, listing, shape)


@import_map.command(
    "forget",
    alias="quen",
    help=N_("Forget a map: the next file of that kind is asked about again."),
    examples=("kiemke import-map forget 3",),
)
@argument("number", metavar=N_("NUMBER"), type=click.IntRange(min=1))
@pass_app
def forget(app: App, number: int) -> None:
    """Forget a map."""
    app.client.send("DELETE", f"/import-maps/{quote(str(number))}")
    app.say(_("Column map {number} is forgotten").format(number=number))
