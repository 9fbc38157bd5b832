"""kiemke template: empty tables to fill in for an import."""

from pathlib import Path
from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.files import refuse_existing, write_through, write_whole
from kiemke.cli.i18n import N_, _, language


@click.command(
    "template",
    cls=Command,
    help=N_(
        "Write an empty table with bilingual headings, to fill in and import: units, officials, "
        "assets, devices, links, targets, absences, holidays, indicators."
    ),
    examples=("kiemke template assets", "kiemke mau officials --csv -o can-bo.csv"),
)
@argument("name", metavar=N_("TABLE"))
@option(
    "-o", "--output", "output", metavar=N_("FILE"), help=N_("Where to; “-” is standard output.")
)
@option("--csv", "as_csv", is_flag=True, help=N_("As CSV instead of XLSX."))
@option("--force", is_flag=True, help=N_("Replace the file if it exists."))
@pass_app
def template(app: App, name: str, output: str | None, as_csv: bool, force: bool) -> None:
    """Write a template."""
    wanted = "csv" if as_csv or (output or "").lower().endswith(".csv") else "xlsx"
    pieces = app.client.download(
        f"/templates/{quote(name, safe='')}", {"format": wanted, "lang": language()}
    )
    if output == "-":
        write_through(pieces)
        return
    path = Path(output or f"{Path(name).name}.{wanted}")
    refuse_existing(path, force)
    write_whole(path, pieces)
    app.say(
        _("Written: {path}").format(path=path),
        _("Fill it in, then: kiemke import {name} {path}").format(name=name, path=path),
    )
