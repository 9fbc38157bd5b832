"""kiemke rule: rules as dated rows: what holds on a day, and a change by a paper."""

import json as json_module
from datetime import tzinfo

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, Kind
from kiemke.cli.listing import (
    DayType,
    Shape,
    Times,
    json_option,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.records import dig
from kiemke.cli.tables import Column, as_json


def _value(value: object, zone: tzinfo) -> str | None:
    return json_module.dumps(value, ensure_ascii=False)


COLUMNS = (
    Column(N_("Rule"), "name"),
    Column(N_("For"), "subject", flexible=True),
    Column(N_("Value"), "value", Kind(_value), flexible=True, least=20),
    Column(N_("Since"), "since", DAY, optional=2),
    Column(N_("Until"), "until", DAY, optional=3),
    Column(N_("Shipped"), "shipped", optional=4),
    Column(N_("Source"), "source", flexible=True, optional=1),
)


@click.group(
    "rule",
    cls=Group,
    help=N_("Rules as dated rows: profiles, checklists, norms, thresholds."),
    examples=("kiemke rule list --search fit", "kiemke quy-tac danh-sach --ngay 31/12/2025"),
)
def rule() -> None:
    """Hold the verbs."""


@rule.command(
    "list",
    alias="danh-sach",
    help=N_("List the rules that hold on a day, shipped ones and those of this installation."),
    examples=("kiemke rule list --search desk_item", "kiemke quy-tac list --json"),
)
@option("--search", "--tim", "search", metavar=N_("WORDS"), help=N_("Only rules so named."))
@time_options
@shape_options
@pass_app
def list_(app: App, search: str | None, times: Times, shape: Shape) -> None:
    """List rules."""
    listing = app.client.items("/rules", {**times.parameters(), "q": search}, shape.rows)
    show(app, _("Rules"), COLUMNS, listing, shape)


@rule.command(
    "set",
    alias="dat",
    help=N_(
        "Set a rule from a day on, by a paper. The value is JSON as rule list shows it; null takes the "
        "rule away. Its readers try it first. Nothing is written without --apply."
    ),
    examples=(
        'kiemke rule set desk_count MC-01/kiosk --value 0 --day … --paper "QĐ 9"',
        "kiemke quy-tac dat coverage_count_days --gia-tri 400 --ngay … --so … --ghi",
    ),
)
@argument("name", metavar=N_("RULE"))
@argument("subject", required=False, default="", metavar=N_("[FOR]"))
@option("--value", "--gia-tri", "value", required=True, metavar=N_("JSON"), help=N_("The value."))
@option(
    "--day", "--ngay", "day", type=DayType(), required=True, metavar=N_("DAY"),
    help=N_("Since when."),
)  # fmt: skip
@option(
    "--until", "--den", "until", type=DayType(), metavar=N_("DAY"),
    help=N_("The first day it holds no more."),
)  # fmt: skip
@option(
    "--paper", "--so", "paper", required=True, metavar=N_("NUMBER"), help=N_("Number of the paper.")
)
@option(
    "--source", "--can-cu", "source", metavar=N_("TEXT"), help=N_("The law or paper behind it.")
)
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def set_(
    app: App, name: str, subject: str, value: str, day: str, until: str | None, paper: str,
    source: str | None, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Set a rule."""
    try:
        read = json_module.loads(value)
    except ValueError as error:
        raise KiemkeError(
            _("the value is no JSON"),
            where="--value",
            remedy=_("write it as kiemke rule list shows it: 60, true, a list or a table"),
        ) from error
    told = app.client.send(
        "POST",
        "/rules",
        parameters={"apply": "true" if apply else "false"},
        body={
            "name": name, "subject": subject, "value": read, "day": day, "until": until,
            "instrument": paper, "source": source,
        },
    )  # fmt: skip
    if json:
        app.write(as_json(told) + "\n")
        return
    if dig(told, "changed") is not True:
        app.say(_("It is so already."))
    elif dig(told, "applied") is True:
        app.say(_("Written."))
    else:
        app.say(_("Nothing was written yet. The same command with --apply does it."))
