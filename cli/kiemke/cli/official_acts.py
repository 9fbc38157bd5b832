"""kiemke official create, change, move, post, duty, leave, retire, absent, back, history: by a paper."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from kiemke.cli import figures
from kiemke.cli.acts import act, act_options, say_applied
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.listing import DayType
from kiemke.cli.official_history import ask_by_name, history, tables
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.tables import Column, draw

HOLDS = (Column(N_("Code"), "code"), Column(N_("Name"), "name", flexible=True))
KINDS = Choice("official_kind", most=4)
PERSON_OPTIONS = (
    option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("The whole name.")),
    option("--family-name", "--ho", "family_name", metavar=N_("NAME"), help=N_("Họ alone.")),
    option("--middle-name", "--dem", "middle_name", metavar=N_("NAME"), help=N_("Đệm alone.")),
    option("--given-name", "--ten-rieng", "given_name", metavar=N_("NAME"),
           help=N_("Tên alone, where it has two words.")),
    option("--phone", "--dien-thoai", "phone", metavar=N_("NUMBER"), help=N_("Phone.")),
    option("--mailbox", "--hop-thu", "mailbox", metavar=N_("ADDRESS"),
           help=N_("Official mailbox.")),
    option("--account", "--tai-khoan", "account", metavar=N_("NAME"),
           help=N_("Login name on the PC.")),
)  # fmt: skip
UNIT_OPTION = option("--unit", "--don-vi", "unit", metavar=N_("CODE"), help=N_("Code of the unit."))
POST_OPTION = option("--post", "--chuc-vu", "post", metavar=N_("POST"), help=N_("The post."))
KIND_OPTION = option(
    "--kind", "--loai", "kind", type=KINDS, metavar=N_("KIND"), help=N_("E.g. cong_chuc.")
)
CORRECTION = option(
    "--correct", "--dinh-chinh", "correction", is_flag=True,
    help=N_("It was always so: corrects the whole span in force on the day."),
)  # fmt: skip


def _with(*options: Any) -> Callable[[Any], Any]:
    def wrap(command: Any) -> Any:
        for each in reversed(options):
            command = each(command)
        return command

    return wrap


def _show(app: App, title: str, told: object) -> None:
    """Print what stands after an act and what the official still holds."""
    app.heading(title)
    tables(app, dig(told, "after"))
    held = records_of(dig(told, "holds"))
    if held:
        count = figures.count(len(held))
        app.say("", _("Held in person on that day: {count}").format(count=count))
        app.say(*draw(HOLDS, held, app.width(), app.zone).lines)
        code = text_at(told, "after.code") or "…"
        hint = _("To hand it over: kiemke asset handover --from official:{code} --to …")
        app.say(hint.format(code=code))
    say_applied(app, told)


def _send(
    app: App, ref: str, body: dict[str, Any], day: str, paper: str, apply: bool, json: bool
) -> None:
    body |= {"day": day, "instrument": paper}

    def send(code: str) -> object:
        return act(
            app, "POST", f"/officials/{quote(code, safe='')}/acts", body, apply=apply, json=json
        )

    told = ask_by_name(app, ref, {"as_of": day}, send)
    if not json:
        _show(
            app, _("Official {code}").format(code=text_at(dig(told, "after"), "code") or ref), told
        )


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


@click.command(
    "create",
    cls=Command,
    alias="tao",
    help=N_("Take an official in: code, name, unit, kind. Nothing is written without --apply."),
    examples=("kiemke official create CB9 --name 'Lê Thị Ơn' --unit TL --kind cong_chuc …",),
)
@argument("code", metavar=N_("CODE"))
@_with(*PERSON_OPTIONS, UNIT_OPTION, KIND_OPTION, POST_OPTION)
@act_options
@pass_app
def create(
    app: App, /, code: str, unit: str | None, kind: str | None, post: str | None, day: str,
    paper: str, apply: bool, json: bool, **person: str | None,
) -> None:  # fmt: skip
    """Make an official."""
    if unit is None or kind is None:
        raise click.UsageError(_("give --unit and --kind"))
    body = {"code": code, "unit": unit, "kind": kind, "post": post, **_given(person)}
    body |= {"day": day, "instrument": paper}
    told = act(app, "POST", "/officials", body, apply=apply, json=json)
    if not json:
        _show(app, _("Official {code}").format(code=code), told)


@click.command(
    "change",
    cls=Command,
    alias="sua",
    help=N_(
        "Change an official's name, phone, mailbox or account from a day on; an empty text takes "
        "it away. Nothing is written without --apply."
    ),
    examples=("kiemke official change CB9 --mailbox on@hp.example --day … --paper …",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@_with(*PERSON_OPTIONS, CORRECTION)
@act_options
@pass_app
def change(
    app: App, /, ref: str, correction: bool, day: str, paper: str, apply: bool, json: bool,
    **person: str | None,
) -> None:  # fmt: skip
    """Change who an official is."""
    body = {"act": "change", "correction": correction, **_given(person)}
    _send(app, ref, body, day, paper, apply, json)


@click.command(
    "move",
    cls=Command,
    alias="chuyen",
    help=N_(
        "Move an official to another unit, or take one back in. What is held in person is shown: "
        "hand it over if it stays. Nothing is written without --apply."
    ),
    examples=("kiemke can-bo chuyen CB9 --don-vi TM --ngay 01/07/2025 --so 12/QĐ",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@_with(UNIT_OPTION, KIND_OPTION, POST_OPTION, CORRECTION)
@act_options
@pass_app
def move(
    app: App, ref: str, unit: str | None, kind: str | None, post: str | None, correction: bool,
    day: str, paper: str, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Move an official."""
    if unit is None:
        raise click.UsageError(_("give --unit"))
    body = {"act": "move", "correction": correction}
    body |= _given({"unit": unit, "kind": kind, "post": post})
    _send(app, ref, body, day, paper, apply, json)


@click.command(
    "post",
    cls=Command,
    alias="chuc-vu",
    help=N_("Give an official another post or kind. Nothing is written without --apply."),
    examples=("kiemke official post CB9 --post 'Phó Chủ tịch' --kind can_bo --day … --paper …",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@_with(KIND_OPTION, POST_OPTION, CORRECTION)
@act_options
@pass_app
def post(
    app: App, ref: str, kind: str | None, post: str | None, correction: bool, day: str,
    paper: str, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Change a post."""
    body = {"act": "post", "correction": correction, **_given({"kind": kind, "post": post})}
    _send(app, ref, body, day, paper, apply, json)


@click.command(
    "duty",
    cls=Command,
    alias="kiem-nhiem",
    help=N_(
        "Give an official part-time duty in a unit, e.g. as IT officer, or end it with --end. "
        "Nothing is written without --apply."
    ),
    examples=("kiemke can-bo kiem-nhiem CB9 --don-vi TL --viec it_officer --ngay … --so …",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@_with(UNIT_OPTION, POST_OPTION)
@option(
    "--duty",
    "--viec",
    "duty",
    type=Choice("duty"),
    metavar=N_("DUTY"),
    help=N_("it_officer, records_clerk or one_stop_desk."),
)
@option(
    "--until",
    "--den",
    "until",
    type=DayType(),
    metavar=N_("DAY"),
    help=N_("The first day on which it no longer holds."),
)
@option("--end", "--ket-thuc", "end", is_flag=True, help=N_("It ends on the day."))
@act_options
@pass_app
def duty(
    app: App, ref: str, unit: str | None, post: str | None, duty: str | None, until: str | None,
    end: bool, day: str, paper: str, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Give or end part-time duty."""
    body: dict[str, Any] = {"act": "end_second" if end else "second"}
    body |= _given({"unit": unit, "post": post, "duty": duty, "until": until})
    _send(app, ref, body, day, paper, apply, json)


@click.command(
    "leave",
    cls=Command,
    alias="thoi-viec",
    help=N_(
        "An official leaves: every post ends. What is still held is shown. Nothing is written "
        "without --apply."
    ),
    examples=("kiemke official leave CB9 --day 01/03/2026 --paper 3/QĐ",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@act_options
@pass_app
def leave(app: App, ref: str, day: str, paper: str, apply: bool, json: bool) -> None:
    """End every membership."""
    _send(app, ref, {"act": "leave"}, day, paper, apply, json)


@click.command(
    "retire",
    cls=Command,
    alias="nghi-huu",
    help=N_(
        "An official retires: every post ends. What is still held is shown. Nothing is written "
        "without --apply."
    ),
    examples=("kiemke can-bo nghi-huu CB9 --ngay 01/03/2026 --so 3/QĐ --apply",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@act_options
@pass_app
def retire(app: App, ref: str, day: str, paper: str, apply: bool, json: bool) -> None:
    """End every membership by retirement."""
    _send(app, ref, {"act": "retire"}, day, paper, apply, json)


@click.command(
    "absent",
    cls=Command,
    alias="vang",
    help=N_(
        "An official counts in no figure for a time: leave or study above 30 days, suspended, "
        "needs no computer, equipped by a ministry. Nothing is written without --apply."
    ),
    examples=("kiemke official absent CB9 --reason study --until 01/06/2026 --day … --paper …",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@option(
    "--reason",
    "--ly-do",
    "reason",
    required=True,
    type=Choice("absence"),
    metavar=N_("REASON"),
    help=N_("E.g. leave, study, suspended."),
)
@option(
    "--until",
    "--den",
    "until",
    type=DayType(),
    metavar=N_("DAY"),
    help=N_("The first day back; open without."),
)
@act_options
@pass_app
def absent(
    app: App, ref: str, reason: str, until: str | None, day: str, paper: str, apply: bool,
    json: bool,
) -> None:  # fmt: skip
    """Say an absence."""
    body = {"act": "absent", "reason": reason, **_given({"until": until})}
    _send(app, ref, body, day, paper, apply, json)


@click.command(
    "back",
    cls=Command,
    alias="tro-lai",
    help=N_("An absence ends on the day. Nothing is written without --apply."),
    examples=("kiemke official back CB9 --day 01/05/2026 --paper 4/QĐ",),
)
@argument("ref", metavar=N_("OFFICIAL"))
@act_options
@pass_app
def back(app: App, ref: str, day: str, paper: str, apply: bool, json: bool) -> None:
    """End an absence."""
    _send(app, ref, {"act": "back"}, day, paper, apply, json)


COMMANDS = (create, change, move, post, duty, leave, retire, absent, back, history)
