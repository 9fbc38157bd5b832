"""What is said of a stock-take above and below its lines, its board, and both corrected."""

from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.acts import say_applied
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY
from kiemke.cli.listing import DayType, json_option
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.tables import as_json
from kiemke.cli.words import word

Board = list[dict[str, str | None]]


def title(app: App, take: object) -> str:
    """Return what a stock-take is called above its lines."""
    return _("Stock-take {number} of {unit} as of {day}: {state}").format(
        number=dig(take, "id"),
        unit=text_at(take, "counted.name"),
        day=DAY.render(text_at(take, "day"), app.zone),
        state=word("take_state", text_at(take, "state") or ""),
    )


def say_sum(app: App, take: object) -> None:
    """Say how many lines are in each state."""
    lines = dig(take, "lines")
    told = lines if isinstance(lines, dict) else {}
    parts = [f"{word('take_line', name)}: {figures.count(n)}" for name, n in told.items() if n]
    app.say("", "; ".join(parts))
    for member in records_of(dig(take, "board")):
        parts = [str(member[name]) for name in ("name", "post", "side") if member.get(name)]
        app.say(f"  {word('take_role', str(member.get('role')))}: {', '.join(parts)}")


def read_board(head: str | None, members: tuple[str, ...]) -> Board:
    """Read “NAME; POST; WHOM” of each of the board."""
    made = []
    for role, text in (("head", head), *(("member", text) for text in members)):
        if text is None:
            continue
        name, post, side = (*(part.strip() or None for part in text.split(";")), None, None, None)[
            :3
        ]
        made.append({"name": name or "", "post": post, "side": side, "role": role})
    return made


def _board_now(app: App, path: str, head: str | None, members: tuple[str, ...]) -> Board:
    """Return the whole board: what was given, and of the others those who sit in it now."""
    given = read_board(head, members)
    changed = {each["role"] for each in given}
    kept: Board = [
        {name: text_at(each, name) for name in ("name", "post", "side", "role")}
        for each in records_of(dig(app.client.get(path), "board"))
        if each.get("role") not in changed
    ]
    return sorted([*kept, *given], key=lambda each: each["role"] != "head")


@click.command(
    "correct",
    cls=Command,
    alias="sua",
    help=N_(
        "Correct the day or the board of an open stock-take, by a paper. --head is the new head, the "
        "--member given are all the others. Nothing is written without --apply."
    ),
    examples=(
        "kiemke count correct 7 --day 30/12/2026 --paper 13/QĐ --apply",
        "kiemke kiem-ke sua 7 --uy-vien 'Bùi Thị C; Kế toán' --so 13/QĐ --ghi",
    ),
)
@argument("number", metavar=N_("NUMBER"))
@option("--day", "--ngay", "day", type=DayType(), metavar=N_("DAY"),
        help=N_("As of which day the book is read."))  # fmt: skip
@option("--head", "--truong-ban", "head", metavar=N_("MEMBER"),
        help=N_("Head of the board: “name; post; whom the person stands for”."))  # fmt: skip
@option("--member", "--uy-vien", "members", multiple=True, metavar=N_("MEMBER"),
        help=N_("One of the board, in the same form. May be repeated."))  # fmt: skip
@option("--paper", "--so", "paper", required=True, metavar=N_("NUMBER"),
        help=N_("Number of the paper."))  # fmt: skip
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def correct(
    app: App, number: str, day: str | None, head: str | None, members: tuple[str, ...], paper: str,
    apply: bool, json: bool,
) -> None:  # fmt: skip
    """Correct one."""
    path = f"/stock-takes/{quote(number, safe='')}"
    body: dict[str, object] = {"instrument": paper}
    if day is not None:
        body["day"] = day
    if head is not None or members:
        body["board"] = _board_now(app, path, head, members)
    if len(body) == 1:
        raise KiemkeError(
            _("nothing is said that is to be corrected"),
            where=f"kiemke count correct {number}",
            remedy=_("give --day, --head or --member"),
        )
    told = app.client.send(
        "POST",
        f"{path}/correct",
        parameters={"apply": "true" if apply else "false"},
        body=body,
    )
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(title(app, told))
    say_sum(app, told)
    say_applied(app, told)
