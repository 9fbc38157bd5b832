"""What every command that acts by a paper shares: its day and number, --apply, before and after."""

from typing import Any

from kiemke.cli.app import App
from kiemke.cli.command import option
from kiemke.cli.i18n import N_, _
from kiemke.cli.listing import DayType, json_option
from kiemke.cli.records import Record, dig, number_at
from kiemke.cli.tables import ABSENT, Column, as_json, cell


def act_options(command: Any) -> Any:
    """Give a command --day/--ngay, --paper/--so, --apply/--ghi and --json."""
    for wrap in (
        json_option,
        option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it.")),
        option("--paper", "--so", "paper", required=True, metavar=N_("NUMBER"),
               help=N_("Number of the decision.")),
        option("--day", "--ngay", "day", required=True, type=DayType(), metavar=N_("DAY"),
               help=N_("Day it takes effect.")),
    ):  # fmt: skip
        command = wrap(command)
    return command


def act(
    app: App, method: str, path: str, body: dict[str, Any], *, apply: bool, json: bool
) -> object:
    """Send an act and return the answer; with ``json`` it is printed as well."""
    told = app.client.send(
        method, path, parameters={"apply": "true" if apply else "false"}, body=body
    )
    if json:
        app.write(as_json(told) + "\n")
    return told


def say_change(app: App, title: str, fields: tuple[Column, ...], told: object) -> None:
    """Print what a thing was and becomes, a field a line; fields that stay are said once."""
    app.heading(title)
    before, after = dig(told, "before"), dig(told, "after")
    for field in fields:
        was = _said(app, field, before)
        becomes = _said(app, field, after)
        shown = becomes if before is None or was == becomes else f"{was} → {becomes}"
        heading = _(field.heading)
        app.say(f"  {heading}: {shown if after is not None else was}")
    if after is None:
        app.say("", _("It ends on that day."))
    say_applied(app, told)


def say_applied(app: App, told: object) -> None:
    """Print whether the act was written, and how to write it."""
    if dig(told, "applied") is True:
        app.say("", _("Written."))
    else:
        app.say("", _("Nothing was written yet. The same command with --apply does it."))


def say_number(app: App, told: object) -> None:
    """Print the number of a decision that was written, and how to take it back."""
    number = number_at(told, "number")
    if number is not None:
        text = _("Entered as decision {number}. If it was wrong: {command}")
        app.say(text.format(number=number, command=f"kiemke unit undo {number} --reason …"))


def _said(app: App, field: Column, record: object) -> str:
    known: Record = record if isinstance(record, dict) else {}
    return cell(field, known, app.zone) or ABSENT
