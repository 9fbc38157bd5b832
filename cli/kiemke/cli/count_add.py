"""kiemke count add: what was found in a stock-take, by any number on the things or a file of them."""

from pathlib import Path
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.acts import say_applied
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import words
from kiemke.cli.listing import DayType, json_option
from kiemke.cli.records import dig, number_at, records_of
from kiemke.cli.tables import Column, as_json, draw

MOST_SHOWN = 40
ITEMS = (
    Column(N_("Number"), "number"),
    Column(N_("Asset"), "asset"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Found"), "result", words("take_found")),
    Column(N_("Before"), "before", words("take_found"), optional=1),
    Column(N_("What it does"), "outcome", words("change")),
)


@click.command(
    "add",
    cls=Command,
    alias="ghi",
    help=N_(
        "Record what was found in a stock-take: found, elsewhere, broken, missing, surplus (not on the "
        "book); retract takes back what was said. A thing is named by its code, the number on its "
        "sticker or its serial. Nothing is written without --apply."
    ),
    examples=(
        "kiemke count add 7 TEM-0042 PC-0001 --result found --by 'Trần Văn Đếm' --apply",
        "kiemke count add 7 --file tem.csv --result found --by 'Trần Văn Đếm'",
        "kiemke kiem-ke ghi 7 SN-9 --ket-qua surplus --ten 'Máy chiếu' --nguoi … --ghi",
    ),
)
@argument("take", metavar=N_("NUMBER"))
@argument("numbers", nargs=-1, metavar=N_("[THING]..."))
@option("--result", "--ket-qua", "result", type=Choice("take_found"),
        metavar=N_("RESULT"), help=N_("What was found, where a file does not say."))  # fmt: skip
@option("--by", "--nguoi", "by", required=True, metavar=N_("NAME"), help=N_("Who looked."))
@option("--day", "--ngay", "day", type=DayType(), metavar=N_("DAY"),
        help=N_("The day they were looked for; today without."))  # fmt: skip
@option("--file", "--tep", "file", type=click.Path(path_type=Path), metavar=N_("FILE"),
        help=N_("A CSV or XLSX file of scanned numbers, with or without results."))  # fmt: skip
@option("--place", "--noi", "place", metavar=N_("PLACE"), help=N_("Where they were."))
@option("--at", "--tai-don-vi", "unit", metavar=N_("UNIT"), help=N_("At which unit they were."))
@option("--note", "--ghi-chu", "note", metavar=N_("TEXT"), help=N_("A remark for the minutes."))
@option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("What a surplus thing is."))
@option("--kind", "--loai", "kind", type=Choice("thing"),
        metavar=N_("KIND"), help=N_("Kind of a surplus thing."))  # fmt: skip
@option("--unknown-as-surplus", "--la-thua", "unknown", is_flag=True,
        help=N_("A number that nothing on the book has is a surplus."))  # fmt: skip
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def add(
    app: App, take: str, numbers: tuple[str, ...], result: str | None, by: str, day: str | None,
    file: Path | None, place: str | None, unit: str | None, note: str | None, name: str | None,
    kind: str | None, unknown: bool, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Record findings."""
    if bool(numbers) == (file is not None):
        raise click.UsageError(_("name the things, or a file of their numbers with --file"))
    path = f"/stock-takes/{quote(take, safe='')}"
    does = "true" if apply else "false"
    if file is not None:
        told = app.client.send(
            "POST",
            f"{path}/files",
            parameters={
                "counted_by": by, "day": day, "result": result, "apply": does,
                "unknown_as_surplus": "true" if unknown else "false",
            },
            content=_read(file),
        )  # fmt: skip
    else:
        also = {"place": place, "unit": unit, "note": note, "name": name, "kind": kind}
        told = app.client.send(
            "POST",
            f"{path}/found",
            parameters={"apply": does},
            body={
                "items": [{"number": number, **also} for number in dict.fromkeys(numbers)],
                "counted_by": by, "day": day, "result": result, "unknown_as_surplus": unknown,
            },
        )  # fmt: skip
    if json:
        app.write(as_json(told) + "\n")
        return
    _tell(app, take, told)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise KiemkeError(
            _("the file cannot be read: {reason}").format(reason=error.strerror),
            where=str(file),
            remedy=_("check its name and your right to read it"),
        ) from error


def _tell(app: App, take: str, told: object) -> None:
    rows = records_of(dig(told, "items"))
    app.heading(_("Stock-take {number}").format(number=take))
    app.say(*draw(ITEMS, rows[:MOST_SHOWN], app.width(), app.zone).lines)
    if len(rows) > MOST_SHOWN:
        app.say(_("… and {count} more").format(count=figures.count(len(rows) - MOST_SHOWN)))
    left = number_at(told, "lines.unanswered")
    if dig(told, "applied") is True and left is not None:
        app.say("", _("Still to be answered: {count}").format(count=figures.count(left)))
    say_applied(app, told)
