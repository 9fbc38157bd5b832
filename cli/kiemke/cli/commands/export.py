"""kiemke export: reports as files for auditors."""

from pathlib import Path
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.files import refuse_existing, write_through, write_whole
from kiemke.cli.i18n import N_, _
from kiemke.cli.listing import Times, time_options
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.tables import Column, draw

DEFAULT_FORMAT = "xlsx"
REPORTS = (
    Column(N_("Report"), "name"),
    Column(N_("Title"), "title", flexible=True),
    Column(N_("Formats"), "formats"),
)


@click.command(
    "export",
    cls=Command,
    help=N_(
        "Write a report to a file. Without a report: list them. The format follows the file's "
        "ending unless --format says otherwise."
    ),
    examples=(
        "kiemke export",
        "kiemke export equipment -o kiem-ke.xlsx --unit TG",
        "kiemke xuat equipment -o kiem-ke.csv --ngay 31/12/2025",
    ),
)
@argument("report", metavar=N_("REPORT"), required=False)
@option("--format", "format_", metavar=N_("FORMAT"), help=N_("xlsx, csv, ... (see the list)."))
@option(
    "-o", "--output", "output", metavar=N_("FILE"), help=N_("Where to; “-” is standard output.")
)
@option("--unit", "--don-vi", "unit", metavar=N_("UNIT"), help=N_("Only this unit and below."))
@option("--force", is_flag=True, help=N_("Replace the file if it exists."))
@time_options
@pass_app
def export(
    app: App,
    report: str | None,
    format_: str | None,
    output: str | None,
    unit: str | None,
    force: bool,
    times: Times,
) -> None:
    """Export a report."""
    if report is None:
        listing = app.client.items("/exports")
        app.heading(_("Reports"))
        app.say(*draw(REPORTS, listing.items, app.width(), app.zone).lines)
        return
    wanted = format_ or _format_of(output)
    asked = {**times.parameters(), "unit": reference(app, UNIT, unit, times.parameters())}
    pieces = app.client.download(f"/exports/{quote(report, safe='')}.{quote(wanted)}", asked)
    if output == "-":
        write_through(pieces)
        return
    path = Path(output or f"{Path(report).name}.{Path(wanted).name}")
    refuse_existing(path, force)
    written = write_whole(path, pieces)
    app.say(
        _("Written: {path}, {size}").format(path=path, size=figures.octets(written.size_bytes)),
        _("SHA-256 of the whole file: {digest} (the one in it is of its rows)").format(
            digest=written.sha256
        ),
    )


def _format_of(output: str | None) -> str:
    ending = Path(output or "").suffix.lower().lstrip(".")
    return ending or DEFAULT_FORMAT
