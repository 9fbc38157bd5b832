"""kiemke count: stock-takes, the book in hand: opened, answered, shown, closed with minutes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.acts import say_applied
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.count_add import add
from kiemke.cli.count_board import correct, read_board, say_sum, title
from kiemke.cli.errors import KiemkeError
from kiemke.cli.files import refuse_existing, write_whole
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, THING, words
from kiemke.cli.listing import (
    DayType,
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import UNIT, reference
from kiemke.cli.records import dig, number_at, text_at
from kiemke.cli.tables import Column, as_json

TAKES = (
    Column(N_("No."), "id"),
    Column(N_("Counted"), "counted", THING, flexible=True),
    Column(N_("As of"), "day", DAY),
    Column(N_("Reason"), "reason", words("take_reason"), optional=2),
    Column(N_("Paper"), "instrument", flexible=True),
    Column(N_("Answers for it"), "unit", THING, flexible=True, optional=3),
    Column(N_("State"), "state", words("take_state")),
    Column(N_("Since"), "since", DAY, optional=1),
)
LINES = (
    Column(N_("Result"), "state", words("take_line")),
    Column(N_("Number"), "shown"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Unit"), "unit", THING, flexible=True, optional=3),
    Column(N_("Held by"), "official", flexible=True, optional=4),
    Column(N_("Agent saw it"), "seen_at", MOMENT, optional=1),
    Column(N_("Counted by"), "counted_by", flexible=True, optional=5),
    Column(N_("Type next"), "next", below=True),
)
DIFFERENT = ("missing", "elsewhere", "broken", "not_expected", "surplus")
FORMATS = ("html", "xlsx", "csv", "jsonl")


@click.group(
    "count",
    cls=Group,
    help=N_(
        "Stock-takes: what the book says a unit holds as of a day, against what stands there. The book "
        "is never changed by them: each difference names the command that does."
    ),
    examples=(
        "kiemke count open TG-VP --day 31/12/2026 --paper 12/QĐ --apply",
        "kiemke count add 7 --file tem.xlsx --result found --by 'Trần Văn Đếm' --apply",
        "kiemke kiem-ke xem 7",
    ),
)
def count() -> None:
    """Hold the verbs."""


@count.command(
    "open",
    alias="mo",
    help=N_(
        "Open a stock-take of a unit and all below it, as of a day, by a decision. Nothing is written "
        "without --apply."
    ),
    examples=(
        "kiemke count open TG-VP --day … --paper … --head 'A; Chánh Văn phòng'",
        "kiemke kiem-ke mo KN --ngay … --so … --ly-do merger --uy-vien 'B; Kế toán'",
    ),
)
@argument("unit", metavar=N_("UNIT"))
@option("--day", "--ngay", "day", type=DayType(), required=True, metavar=N_("DAY"),
        help=N_("As of which day the book is read."))  # fmt: skip
@option("--paper", "--so", "paper", required=True, metavar=N_("NUMBER"),
        help=N_("Number of the decision."))  # fmt: skip
@option("--reason", "--ly-do", "reason", type=Choice("take_reason"),
        default="year_end", metavar=N_("REASON"),
        help=N_("year_end, merger, handover or other."))  # fmt: skip
@option("--head", "--truong-ban", "head", metavar=N_("MEMBER"),
        help=N_("Head of the board: “name; post; whom the person stands for”."))  # fmt: skip
@option("--member", "--uy-vien", "members", multiple=True, metavar=N_("MEMBER"),
        help=N_("One of the board, in the same form. May be repeated."))  # fmt: skip
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def open_(
    app: App, unit: str, day: str, paper: str, reason: str, head: str | None,
    members: tuple[str, ...], apply: bool, json: bool,
) -> None:  # fmt: skip
    """Open one."""
    told = app.client.send(
        "POST",
        "/stock-takes",
        parameters={"apply": "true" if apply else "false"},
        body={"unit": unit, "day": day, "instrument": paper, "reason": reason,
              "board": read_board(head, members)},
    )  # fmt: skip
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(
        _("Stock-take of {unit} as of {day}: {count} things on the book").format(
            unit=text_at(told, "counted.name"),
            day=DAY.render(text_at(told, "day"), app.zone),
            count=figures.count(number_at(told, "expected") or 0),
        )
    )
    number = number_at(told, "id")
    if number is not None:
        app.say(_("Stock-take {number} is open: kiemke count add {number} …").format(number=number))
    say_applied(app, told)


@count.command(
    "list",
    alias="danh-sach",
    help=N_("List stock-takes, the last opened first."),
    examples=("kiemke count list --state open", "kiemke kiem-ke danh-sach --ngay 31/12/2025"),
)
@option("--state", "--trang-thai", "state", type=Choice("take_state"),
        metavar=N_("STATE"), help=N_("Only these: open, closed or withdrawn."))  # fmt: skip
@search_options
@time_options
@shape_options
@pass_app
def list_(
    app: App, unit: str | None, search: str | None, state: str | None, times: Times, shape: Shape
) -> None:
    """List them."""
    asked = {
        **times.parameters(), "unit": reference(app, UNIT, unit, times.parameters()), "q": search, "state": state,
    }  # fmt: skip
    found = app.client.items("/stock-takes", asked, shape.rows)
    show(app, _("Stock-takes"), TAKES, found, shape)


@count.command(
    "show",
    alias="xem",
    help=N_(
        "Show a stock-take: what differs from the book and what waits for an answer, each with the next "
        "command; --all shows what agrees too. What agents saw stands beside and answers nothing."
    ),
    examples=("kiemke count show 7", "kiemke kiem-ke xem 7 --tat-ca --csv"),
)
@argument("number", metavar=N_("NUMBER"))
@option("--all", "--tat-ca", "all_", is_flag=True, help=N_("What agrees with the book too."))
@option("--minutes", "-o", "minutes", type=click.Path(path_type=Path), metavar=N_("FILE"),
        help=N_("Write the minutes to this file: .html, .xlsx, .csv or .jsonl."))  # fmt: skip
@search_options
@time_options
@shape_options
@pass_app
def show_(
    app: App, number: str, all_: bool, minutes: Path | None, unit: str | None, search: str | None,
    times: Times, shape: Shape,
) -> None:  # fmt: skip
    """Show one."""
    path = f"/stock-takes/{quote(number, safe='')}"
    asked: dict[str, Any] = {
        **times.parameters(), "unit": reference(app, UNIT, unit, times.parameters()), "q": search,
        "state": None if all_ else [*DIFFERENT, "unanswered"],
    }  # fmt: skip
    found = app.client.items(f"{path}/lines", asked, shape.rows)
    shown = _shown(found)
    if shape.json or shape.csv:
        show(app, "", LINES, found if shape.json else shown, shape)
    else:
        take = app.client.get(path, times.parameters())
        counted = text_at(take, "counted.name")
        elsewhere = any(text_at(row, "unit.name") not in (None, counted) for row in shown.items)
        columns = [each for each in LINES if elsewhere or each.path != "unit"]
        show(app, title(app, take), columns, _waiting_once(shown), shape)
        say_sum(app, take)
        if any(row.get("state") == "unanswered" for row in shown.items):
            app.say(
                _("To answer: kiemke count add {number} … --result found --by …").format(
                    number=number
                )
            )
    if minutes is not None:
        _write_minutes(app, path, minutes, times)


def _shown(found: Any) -> Any:
    """Return a listing whose lines have their code, or the number of a surplus, as ``shown``."""
    rows = tuple({**row, "shown": row.get("code") or row.get("number")} for row in found.items)
    return type(found)(rows, found.total)


def _waiting_once(found: Any) -> Any:
    """Return a listing whose unanswered lines name no command: it is the same for all, told below."""
    rows = tuple(
        {**row, "next": None} if row.get("state") == "unanswered" else row for row in found.items
    )
    return type(found)(rows, found.total)


def _write_minutes(app: App, path: str, file: Path, times: Times) -> None:
    ending = file.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise KiemkeError(
            _("{value} is no format of minutes").format(value=file.name),
            where="--minutes",
            remedy=_("name the file .html, .xlsx, .csv or .jsonl"),
        )
    refuse_existing(file, False)
    pieces: Iterator[bytes] = app.client.download(f"{path}/minutes/{ending}", times.parameters())
    write_whole(file, pieces)
    app.say(_("Minutes: {file}").format(file=file))


def _end(app: App, number: str, verb: str, paper: str, apply: bool, json: bool) -> object:
    told = app.client.send(
        "POST",
        f"/stock-takes/{quote(number, safe='')}/{verb}",
        parameters={"apply": "true" if apply else "false"},
        body={"instrument": paper},
    )
    if json:
        app.write(as_json(told) + "\n")
    else:
        app.heading(title(app, told))
        say_sum(app, told)
        say_applied(app, told)
    return told


@count.command(
    "close",
    alias="khoa",
    help=N_(
        "Close a stock-take whose things are all answered: its lines stay as they are for ever. --minutes "
        "writes them to sign. Nothing is written without --apply."
    ),
    examples=(
        "kiemke count close 7 --paper 3/BB --minutes bien-ban.html --apply",
        "kiemke kiem-ke khoa 7 --so 3/BB --ghi",
    ),
)
@argument("number", metavar=N_("NUMBER"))
@option("--paper", "--so", "paper", required=True, metavar=N_("NUMBER"),
        help=N_("Number of the minutes."))  # fmt: skip
@option("--minutes", "-o", "minutes", type=click.Path(path_type=Path), metavar=N_("FILE"),
        help=N_("Write the minutes to this file: .html, .xlsx, .csv or .jsonl."))  # fmt: skip
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def close(
    app: App, number: str, paper: str, minutes: Path | None, apply: bool, json: bool
) -> None:  # fmt: skip
    """Close one."""
    told = _end(app, number, "close", paper, apply, json)
    if minutes is not None:
        _write_minutes(app, f"/stock-takes/{dig(told, 'id')}", minutes, Times(None, None))


@count.command(
    "withdraw",
    alias="huy",
    help=N_(
        "Withdraw a stock-take that was opened by mistake. What was found meanwhile stays a count. "
        "Nothing is written without --apply."
    ),
    examples=(
        "kiemke count withdraw 7 --paper 14/QĐ --apply",
        "kiemke kiem-ke huy 7 --so 14/QĐ --ghi",
    ),
)
@argument("number", metavar=N_("NUMBER"))
@option("--paper", "--so", "paper", required=True, metavar=N_("NUMBER"),
        help=N_("Number of the paper."))  # fmt: skip
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def withdraw(app: App, number: str, paper: str, apply: bool, json: bool) -> None:
    """Withdraw one."""
    _end(app, number, "withdraw", paper, apply, json)


count.add_command(add)
count.add_command(correct)
