"""kiemke import: checks a filled table against the server, and takes it in when asked to."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kiemke.cli import figures
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.import_told import Teller
from kiemke.cli.listing import json_option
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.tables import as_json

LARGEST_FILE_BYTES = 20_000_000
MOST_ERRORS_SHOWN = 50
REPAIRS = ("tcvn3", "vni", "cp1258", "utf8", "none")
DAY_ORDERS = ("dmy", "mdy", "swapped")


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of one import, by the names of their parameters."""

    apply: bool
    columns: tuple[str, ...]
    values: tuple[str, ...]
    yes_map: bool
    repair: str | None
    days: str | None
    split: bool
    sheets: tuple[str, ...]
    heading_row: int | None

    def typed_again(self) -> list[str]:
        """Return the options as they are typed again to write what was shown; --apply is not among them."""
        row = None if self.heading_row is None else str(self.heading_row)
        repeated = (("--map", self.columns), ("--set", self.values), ("--sheet", self.sheets))
        single = (("--repair", self.repair), ("--days", self.days), ("--heading-row", row))
        switches = (("--split", self.split), ("--yes-map", self.yes_map))
        given = [part for name, several in repeated for one in several for part in (name, one)]
        given += [part for name, value in single if value is not None for part in (name, value)]
        return given + [name for name, is_on in switches if is_on]

    def parameters(self, template: str, file: Path) -> dict[str, Any]:
        """Return the query of the request; what was not given is left out."""
        asked = {
            "template": template,
            "apply": "true" if self.apply else "false",
            "filename": file.name,
            "map": list(self.columns),
            "set": list(self.values),
            "accept": ["map"] if self.yes_map else [],
            "repair": self.repair,
            "days": self.days,
            "split": "true" if self.split else None,
            "sheet": list(self.sheets),
            "heading_row": self.heading_row,
        }
        return {name: value for name, value in asked.items() if value not in (None, [])}


@click.command(
    "import",
    cls=Command,
    help=N_(
        "Check a table (XLSX, XLS, ODS or CSV) and say what it would change. Nothing is written until "
        "--apply, and then all of it or nothing. It need not be the template: the headings are looked "
        "for, columns proposed, old encodings shown repaired, and what is agreed to is remembered."
    ),
    examples=(
        "kiemke import assets tai-san.xlsx",
        "kiemke nhap officials can-bo.csv --repair tcvn3 --set kind=cong_chuc --apply",
        'kiemke import assets s26.xls --map "Tên TSCĐ=name" --set unit=TG-NV --split',
    ),
)
@argument("template", metavar=N_("TABLE"))
@argument("file", metavar=N_("FILE"), type=click.Path(path_type=Path))
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Write it, if it has no errors."))
@option(
    "--map",
    "--cot",
    "columns",
    multiple=True,
    metavar=N_("HEADING=COLUMN"),
    help=N_("Which column a heading is; nothing behind = leaves it aside. May be repeated."),
)
@option(
    "--set",
    "--gan",
    "values",
    multiple=True,
    metavar=N_("COLUMN=VALUE"),
    help=N_("A value for every row that has none. May be repeated."),
)
@option(
    "--yes-map", "--dung-cot", "yes_map", is_flag=True, help=N_("Take the columns as proposed.")
)
@option(
    "--repair",
    "--bang-ma",
    "repair",
    type=click.Choice(REPAIRS),
    help=N_("The encoding that the text lost; none leaves it as it is."),
)
@option(
    "--days",
    "--ngay-thang",
    "days",
    type=click.Choice(DAY_ORDERS),
    help=N_("Day first, month first, or turned round by Excel."),
)
@option(
    "--split", "--tach", "split", is_flag=True, help=N_("Make a row of several things several.")
)
@option(
    "--sheet",
    "--trang",
    "sheets",
    multiple=True,
    metavar=N_("NAME"),
    help=N_("Only this sheet. May be repeated."),
)
@option(
    "--heading-row",
    "--dong-tieu-de",
    "heading_row",
    type=click.IntRange(1, 60),
    metavar=N_("NUMBER"),
    help=N_("The row of the headings, where it is not found."),
)
@option("--wide", "--rong", "wide", is_flag=True, help=N_("Cut nothing, however wide."))
@json_option
@pass_app
def import_(app: App, /, template: str, file: Path, wide: bool, json: bool, **given: Any) -> int:
    """Import a table; exit 1 when it has errors or a question is left open."""
    content = _read(file)
    options = _Options(**given)
    parameters = options.parameters(template, file)
    told = app.client.send("POST", "/imports", parameters=parameters, content=content)
    if json:
        app.write(as_json(told) + "\n")
        return 1 if _is_open(told) and (options.apply or records_of(dig(told, "errors"))) else 0
    code = _tell(app, told, template, file, wide=wide, chosen=options.typed_again())
    questions = records_of(dig(told, "questions"))
    if code or not questions or not options.apply:
        return code
    if not app.interactive() or not _ask(questions, parameters):
        app.say("", _("Nothing was written: a question is left open"))
        return 1
    told = app.client.send("POST", "/imports", parameters=parameters, content=content)
    return _tell(app, told, template, file, wide=wide, again=True)


def _quoted(text: str) -> str:
    """Return an argument as a shell takes it, in double quotes, which Windows knows too."""
    if re.fullmatch(r"[\w@%+=:,./\\-]+", text):
        return text
    return shlex.quote(text) if set(text) & set('"$`\\') else f'"{text}"'


def _is_open(told: object) -> bool:
    return bool(records_of(dig(told, "errors")) or records_of(dig(told, "questions")))


def _ask(questions: Sequence[Record], parameters: dict[str, Any]) -> bool:
    """Ask a person each open question; True when all were answered, in ``parameters``."""
    for question in questions:
        about = text_at(question, "about")
        if about == "days":
            parameters["days"] = click.prompt(
                _("Which? dmy, mdy or swapped"), type=click.Choice(DAY_ORDERS), err=True
            )
            continue
        words = {
            "map": N_("Take the columns as proposed?"),
            "repair": N_("Take the text as repaired?"),
        }.get(about or "")
        if words is None or not click.confirm(_(words), default=False, err=True):
            return False
        parameters["accept"] = [*parameters.get("accept", []), about]
    return True


def _tell(
    app: App,
    told: object,
    template: str,
    file: Path,
    *,
    wide: bool,
    chosen: Sequence[str] = (),
    again: bool = False,
) -> int:
    """Print an answer; 1 when it has errors. ``chosen`` are the options that it rests on."""
    errors = records_of(dig(told, "errors"))
    teller = Teller(app, told, wide=wide)
    if not again:
        app.heading(f"{template}: {file.name}")
        teller.understood()
        teller.repaired()
        teller.days()
    app.say(
        _("{rows} rows: {new} new, {changed} changed, {same} the same").format(
            **{name: _figure(told, name) for name in ("rows", "new", "changed", "same")}
        )
    )
    if errors:
        app.say("", *teller.errors(errors[:MOST_ERRORS_SHOWN]))
        total = len(errors) + int(number_at(told, "errors_left_out") or 0)
        if MOST_ERRORS_SHOWN < total:
            more = figures.count(total - MOST_ERRORS_SHOWN)
            app.say(_("… and {count} more").format(count=more))
        app.say("", _("Nothing was written: {count} errors").format(count=total))
        return 1
    if not again:
        teller.changes()
    teller.questions()
    if dig(told, "applied") is True:
        app.say(_("Written."))
    elif not records_of(dig(told, "questions")):
        app.say(
            _("Nothing was written yet. To write it: kiemke import {arguments} --apply").format(
                arguments=" ".join(map(_quoted, (template, str(file), *chosen)))
            )
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
