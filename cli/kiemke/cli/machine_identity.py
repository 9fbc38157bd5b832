"""kiemke machine why, merge, unmerge, apart, adapters: which installs are one PC, and a person's word."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT, DAY, MOMENT, words
from kiemke.cli.listing import Shape, json_option, search_options, shape_options, show
from kiemke.cli.pick import MACHINE, pick
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.tables import Column, as_json, draw
from kiemke.cli.words import word

MEMBERS = (
    Column(N_("Source"), "source", flexible=True),
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("State"), "state", words("source_state")),
    Column(N_("From"), "valid_from", DAY),
    Column(N_("Until"), "valid_to", DAY, optional=1),
    Column(N_("Decided by"), "decided_by", words("machine_decider")),
    Column(N_("Points"), "told.score", COUNT),
)
LINES = (
    Column(N_("Evidence"), "kind", words("evidence")),
    Column(N_("Result"), "result", words("evidence_result")),
    Column(N_("Points"), "points"),
    Column(N_("Here"), "here", flexible=True),
    Column(N_("There"), "there", flexible=True),
)
VALUES = (
    Column(N_("Evidence"), "kind", words("evidence")),
    Column(N_("Value"), "value", flexible=True),
    Column(N_("Points"), "points"),
    Column(N_("On machines"), "machines", COUNT),
    Column(N_("Because"), "why_worthless", words("worthless"), optional=1),
    Column(N_("Gone since"), "gone_at", MOMENT, optional=2),
)
DECISIONS = (
    Column(N_("Decision"), "kind", words("machine_decider")),
    Column(N_("Machine"), "machine"),
    Column(N_("Other"), "other"),
    Column(N_("Reason"), "reason", flexible=True),
    Column(N_("When"), "at", MOMENT),
    Column(N_("Who"), "who"),
    Column(N_("Undone"), "undone_at", MOMENT),
)
MOVED = (
    Column(N_("Source"), "source", flexible=True),
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("From"), "valid_from", DAY),
    Column(N_("Until"), "valid_to", DAY),
)
ADAPTERS = (
    Column(N_("Adapter"), "mac"),
    Column(N_("Learned"), "learned_at", MOMENT),
    Column(N_("Machines"), "machines", flexible=True),
)


def _joined(rows: tuple[Record, ...], *fields: str) -> list[Record]:
    """Return rows with the lists in some fields written with commas."""
    return [
        {**row, **{f: ", ".join(map(str, v)) for f in fields if isinstance(v := row.get(f), list)}}
        for row in rows
    ]


@click.command(
    "why",
    cls=Command,
    alias="vi-sao",
    help=N_(
        "Explain why several installs are one machine: each piece of evidence with its value and "
        "its points, and what people decided."
    ),
    examples=("kiemke machine why TG-VP-07", "kiemke may vi-sao 12 --json"),
)
@argument("ref", metavar=N_("MACHINE"))
@json_option
@pass_app
def why(app: App, ref: str, json: bool) -> None:
    """Explain a machine."""
    machine = _id(app, ref)
    found = app.client.send("GET", f"/machines/{machine}/why")
    if json:
        app.write(as_json(found) + "\n")
        return
    members = records_of(dig(found, "members"))
    app.heading(_("Machine {number}: its installs").format(number=machine))
    app.say(*draw(MEMBERS, members, app.width(), app.zone).lines)
    for member in members:
        lines = _joined(records_of(dig(member, "told.lines")), "here", "there")
        if not lines:
            continue
        app.say("")
        app.heading(
            _("{source}: {points} points, {verdict}").format(
                source=text_at(member, "hostname") or text_at(member, "source"),
                points=text_at(member, "told.score"),
                verdict=word("verdict_same", text_at(member, "told.verdict") or "?"),
            )
        )
        app.say(*draw(LINES, lines, app.width(), app.zone).lines)
    values = records_of(dig(found, "values"))
    app.say("")
    app.heading(_("What it is known by"))
    app.say(*draw(VALUES, values, app.width(), app.zone).lines)
    decisions = records_of(dig(found, "decisions"))
    if decisions:
        app.say("")
        app.heading(_("What people decided"))
        app.say(*draw(DECISIONS, decisions, app.width(), app.zone).lines)


def _id(app: App, ref: str) -> str:
    return quote(str(pick(app, MACHINE, ref)["id"]), safe="")


def _decision(name: str, alias: str, about: str, examples: tuple[str, ...]) -> click.Command:
    """Return the command of one decision on two machines: a dry run without --apply."""
    made: Callable[[Callable[..., Any]], click.Command] = click.command(
        name, cls=Command, alias=alias, help=about, examples=examples
    )

    @made
    @argument("ref", metavar=N_("MACHINE"))
    @argument("other", metavar=N_("OTHER_MACHINE"))
    @option("--reason", "--ly-do", "reason", metavar=N_("TEXT"), help=N_("Why, for the log."))
    @option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
    @json_option
    @pass_app
    def decide(app: App, ref: str, other: str, reason: str | None, apply: bool, json: bool) -> None:
        absorbed = name == "unmerge" and other.isdecimal()
        told = app.client.send(
            "POST",
            f"/machines/{_id(app, ref)}/{name}",
            parameters={"apply": "true" if apply else "false"},
            body={"other": other if absorbed else _id(app, other), "reason": reason},
        )
        _show_moved(app, told, json=json)

    return decide


def _show_moved(app: App, told: object, *, json: bool) -> None:
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(
        _("Machines {machine} and {other}").format(
            machine=text_at(told, "machine"), other=text_at(told, "other")
        )
    )
    rows = records_of(dig(told, "sources"))
    if rows:
        app.say(*draw(MOVED, rows, app.width(), app.zone).lines)
    assets = dig(told, "assets")
    if isinstance(assets, list) and assets:
        app.say(
            _("Matched assets that go along: {codes}").format(codes=", ".join(map(str, assets)))
        )
    if dig(told, "applied") is True:
        app.say("", _("Written."))
    else:
        app.say("", _("Nothing was written yet. The same command with --apply does it."))


@click.command(
    "adapters",
    cls=Command,
    alias="cac-mang-chung",
    help=N_("List docks and network adapters seen with several machines; they identify none."),
    examples=("kiemke machine adapters", "kiemke may cac-mang-chung --json"),
)
@search_options
@shape_options
@pass_app
def adapters(app: App, unit: str | None, search: str | None, shape: Shape) -> None:
    """List shared adapters."""
    listing = app.client.items("/shared-adapters", {"unit": unit, "q": search}, shape.rows)
    show(app, _("Shared adapters"), ADAPTERS, listing, shape)


VERBS = (
    why,
    _decision(
        "merge",
        "gop",
        N_(
            "Say that two machines are one: the other's installs and its match with an asset go to "
            "the first. Nothing is written without --apply; unmerge undoes it exactly."
        ),
        ("kiemke machine merge 12 31", "kiemke may gop 12 31 --ly-do … --ghi"),
    ),
    _decision(
        "unmerge",
        "go-gop",
        N_("Undo a merger: everything that came by it goes back. Without --apply it only shows."),
        ("kiemke machine unmerge 12 31", "kiemke may go-gop 12 31 --ghi"),
    ),
    _decision(
        "apart",
        "tach-biet",
        N_("Say that two machines are two: they are not asked about again."),
        ("kiemke machine apart 12 31", "kiemke may tach-biet 12 31 --ghi"),
    ),
    adapters,
)
