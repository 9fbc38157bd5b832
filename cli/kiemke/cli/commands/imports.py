"""kiemke import: checks a filled table against the server, and takes it in when asked to."""

from pathlib import Path

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT
from kiemke.cli.listing import json_option
from kiemke.cli.records import dig, number_at, records_of
from kiemke.cli.tables import Column, as_json, draw

LARGEST_FILE_BYTES = 20_000_000
MOST_ERRORS_SHOWN = 50
ERRORS = (
    Column(N_("Row"), "row", COUNT),
    Column(N_("Column"), "column", flexible=True),
    Column(N_("Value"), "value", flexible=True),
    Column(N_("Error"), "message", flexible=True),
    Column(N_("What to do"), "remedy", flexible=True),
)


@click.command(
    "import",
    cls=Command,
    help=N_(
        "Check a filled table (XLSX or CSV) and say what it would change. Nothing is written until "
        "--apply, and then all of it or nothing."
    ),
    examples=(
        "kiemke import assets tai-san.xlsx",
        "kiemke nhap officials can-bo.csv --apply",
    ),
)
@argument("template", metavar=N_("TABLE"))
@argument("file", metavar=N_("FILE"), type=click.Path(path_type=Path))
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Write it, if it has no errors."))
@option("--wide", "--rong", "wide", is_flag=True, help=N_("Cut nothing, however wide."))
@json_option
@pass_app
def import_(app: App, template: str, file: Path, apply: bool, wide: bool, json: bool) -> int:
    """Import a table; exit 1 when it has errors."""
    told = app.client.send(
        "POST",
        "/imports",
        parameters={
            "template": template,
            "apply": "true" if apply else "false",
            "filename": file.name,
        },
        content=_read(file),
    )
    errors = records_of(dig(told, "errors"))
    if json:
        app.write(as_json(told) + "\n")
        return 1 if errors else 0
    app.heading(f"{template}: {file.name}")
    app.say(
        _("{rows} rows: {new} new, {changed} changed, {same} the same").format(
            **{name: _figure(told, name) for name in ("rows", "new", "changed", "same")}
        )
    )
    ignored = dig(told, "ignored")
    if isinstance(ignored, list) and ignored:
        app.say(_("columns not known, left aside: ") + ", ".join(str(name) for name in ignored))
    if errors:
        shown = errors[:MOST_ERRORS_SHOWN]
        app.say("", *draw(ERRORS, shown, None if wide else app.width(), app.zone).lines)
        total = len(errors) + int(number_at(told, "errors_left_out") or 0)
        if len(shown) < total:
            app.say(_("… and {count} more").format(count=figures.count(total - len(shown))))
        app.say("", _("Nothing was written: {count} errors").format(count=total))
        return 1
    if dig(told, "applied") is True:
        app.say(_("Written."))
    else:
        app.say(
            _(
                "Nothing was written yet. To write it: kiemke import {template} {file} --apply"
            ).format(template=template, file=file)
        )
    return 0


def _figure(told: object, name: str) -> str:
    number = number_at(told, name)
    return "–" if number is None else figures.count(number)


def _read(file: Path) -> bytes:
    """Return the file's bytes. Raises KiemkeError when unreadable, empty or too large."""
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise KiemkeError(
                _("the file is too large: {size}, at most {most}").format(
                    size=figures.octets(size), most=figures.octets(LARGEST_FILE_BYTES)
                ),
                where=str(file),
                remedy=_("delete empty rows and pictures, or split it"),
            )
        content = file.read_bytes()
    except OSError as err:
        raise KiemkeError(
            _("the file cannot be read: {reason}").format(reason=err.strerror or err),
            where=str(file),
            remedy=_("check its name, and that no other program holds it open"),
        ) from err
    if not content:
        raise KiemkeError(
            _("the file is empty"),
            where=str(file),
            remedy=_("start from kiemke template"),
        )
    return content
