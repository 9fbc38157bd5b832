"""kiemke machine import: PCs that cannot run the agent, by the files their scripts wrote."""

import base64
from pathlib import Path

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, MOMENT, THING, words
from kiemke.cli.listing import (
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import Record, dig, records_of
from kiemke.cli.tables import Column, as_json, draw

MOST_BYTES = 8 << 20
COLUMNS = (
    Column(N_("File"), "file", flexible=True),
    Column(N_("What it does"), "outcome", words("change")),
    Column(N_("Day"), "day", DAY),
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("System"), "system", flexible=True),
    Column(N_("Serial number"), "serial"),
    Column(N_("Disks"), "disks", COUNT, optional=1),
    Column(N_("Monitors"), "monitors", COUNT, optional=1),
)
SURVEYS = (
    Column(N_("Day"), "day", DAY),
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("No."), "machine"),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Surveyed by"), "taken_by", flexible=True),
    Column(N_("Taken in"), "recorded_at", MOMENT, optional=1),
    Column(N_("By"), "recorded_by", optional=1),
)


@click.command(
    "import",
    cls=Command,
    alias="nhap-may",
    help=N_(
        "Take in PCs that cannot run the agent, by the files that SURVEY.cmd or “kiemke-agent "
        "inventory --one-shot” wrote there. It is evidence of that day alone; the same file again "
        "changes nothing. Without --apply only what would happen is shown."
    ),
    examples=(
        "kiemke machine import PC-01.kiemke.txt --unit TG-XA",
        "kiemke may nhap-may *.kiemke.txt --don-vi TG-XA --by 'Trần Bình' --apply",
    ),
)
@argument("files", metavar=N_("FILE"), nargs=-1, required=True)
@option("--unit", "--don-vi", "unit", required=True, metavar=N_("UNIT"), help=N_("Whose PCs."))
@option("--by", "taken_by", metavar=N_("NAME"), help=N_("Who went to the PCs (default: you)."))
@option("--apply", "apply", is_flag=True, help=N_("Write it."))
@json_option
@pass_app
def import_(
    app: App, files: tuple[str, ...], unit: str, taken_by: str | None, apply: bool, json: bool
) -> None:
    """Take in surveyed PCs."""
    body = {
        "unit": reference(app, UNIT, unit),
        "files": [_read(Path(name)) for name in files],
        "taken_by": taken_by,
    }
    found = app.client.send(
        "POST", "/machines/surveys", parameters={"apply": str(apply).lower()}, body=body
    )
    if json:
        app.write(as_json(found) + "\n")
        return
    items: tuple[Record, ...] = records_of(dig(found, "items"))
    app.say(*draw(COLUMNS, items, app.width(), app.zone).lines)
    if not apply:
        app.say("", _("Nothing was written. Write it: add --apply."))


@click.command(
    "surveys",
    cls=Command,
    alias="khao-sat",
    help=N_("List the PCs that were surveyed by hand, with the day and by whom."),
    examples=("kiemke machine surveys --unit TG-XA", "kiemke may khao-sat --json"),
)
@search_options
@time_options
@shape_options
@pass_app
def surveys(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List surveys."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    listing = app.client.items("/machines/surveys", asked, shape.rows)
    show(app, _("Surveys by hand"), SURVEYS, listing, shape)


def _read(path: Path) -> dict[str, str]:
    """Return a file as it travels. Raises KiemkeError."""
    try:
        data = path.read_bytes()
    except OSError as err:
        raise KiemkeError(
            _("the file cannot be read: {reason}").format(reason=err.strerror or err),
            where=str(path),
            remedy=_("name the .kiemke.txt files that SURVEY.cmd wrote"),
        ) from err
    if len(data) > MOST_BYTES:
        raise KiemkeError(
            _("this is no file of a surveyed PC"),
            where=str(path),
            remedy=_("name the .kiemke.txt files that SURVEY.cmd wrote"),
        )
    return {"name": path.name, "content": base64.b64encode(data).decode("ascii")}


VERBS = (import_, surveys)
