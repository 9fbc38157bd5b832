"""kiemke unit decisions, undo: what was decided on units, by number, and taking back what was entered wrongly."""

from collections.abc import Sequence

import click

from kiemke.cli import figures
from kiemke.cli.acts import act, say_applied
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, THING, words
from kiemke.cli.listing import Shape, Times, json_option, shape_options, show, time_options
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.tables import Column, draw
from kiemke.cli.unit_moves import MOST_SHOWN, tell_moves
from kiemke.cli.words import word

DECISIONS = (
    Column(N_("Number"), "number"),
    Column(N_("Entered"), "at", MOMENT),
    Column(N_("By"), "who", flexible=True),
    Column(N_("Takes effect"), "day", DAY),
    Column(N_("Paper"), "instrument", flexible=True),
    Column(N_("Units ended"), "ended", flexible=True, optional=1),
    Column(N_("Units made"), "created", flexible=True, optional=1),
    Column(N_("Takes back"), "undone"),
    Column(N_("Taken back by"), "undone_by"),
    Column(N_("Reason"), "reason", flexible=True, optional=2),
)
STAYS = (
    Column(N_("What"), "what", words("holding")),
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Stays in"), "at", THING, flexible=True),
)


@click.command(
    "decisions",
    cls=Command,
    alias="quyet-dinh",
    help=N_(
        "List the decisions on units in the order they were entered, newest first. A decision is taken "
        "back by its number."
    ),
    examples=("kiemke unit decisions", "kiemke don-vi quyet-dinh --ngay 31/12/2025"),
)
@time_options
@shape_options
@pass_app
def decisions(app: App, times: Times, shape: Shape) -> None:
    """List decisions."""
    listing = app.client.items("/reorganisations", times.parameters(), shape.rows)
    show(app, _("Decisions on units"), DECISIONS, listing, shape)


@click.command(
    "undo",
    cls=Command,
    alias="go",
    help=N_(
        "Take back a decision that was entered wrongly: from now on all is known as it was before it; "
        "--known-at still shows what was believed. What was built on it since is named first, in the order "
        "to take it back. Nothing is written without --apply."
    ),
    examples=(
        "kiemke unit undo 812 --reason 'wrong unit'",
        "kiemke don-vi go 812 --ly-do 'nhập nhầm đơn vị' --ghi",
    ),
)
@argument("number", metavar=N_("NUMBER"), type=click.IntRange(min=1))
@option("--reason", "--ly-do", "reason", required=True, metavar=N_("TEXT"),
        help=N_("Why it is taken back."))  # fmt: skip
@option("--paper", "--so", "paper", metavar=N_("NUMBER"),
        help=N_("Number of the paper that says so, if there is one."))  # fmt: skip
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def undo(
    app: App, number: int, reason: str, paper: str | None, apply: bool, json: bool
) -> int:  # fmt: skip
    """Take a decision back."""
    body = {"reason": reason, "instrument": paper}
    told = act(app, "POST", f"/reorganisations/{number}/undo", body, apply=apply, json=json)
    in_the_way = records_of(dig(told, "hindrances"))
    if json:
        return 1 if in_the_way else 0
    decision = dig(told, "decision")
    title = _("Taking back decision {number}: {paper}, in effect since {day}, entered by {who}")
    app.heading(
        title.format(
            number=number,
            paper=text_at(decision, "instrument") or "–",
            day=DAY.render(text_at(decision, "day"), app.zone),
            who=text_at(decision, "who"),
        )
    )
    _tell(app, told)
    if in_the_way:
        _tell_hindrances(app, in_the_way)
        return 1
    say_applied(app, told)
    return 0


def _tell(app: App, told: object) -> None:
    """Show every consequence."""
    labels = {
        "vanished": _("will never have been"),
        "revived": _("are again"),
        "changed": _("are as before"),
    }
    tell_moves(app, told, labels, _("goes back: {counts}"))
    again = records_of(dig(told, "again"))
    if again:
        named = ", ".join(
            f"{word('holding', text_at(row, 'what') or '')} {row.get('code')} {row.get('name') or ''}"
            for row in again[:MOST_SHOWN]
        )
        text = _("is said again as before ({count}): {things}")
        app.say(text.format(count=figures.count(len(again)), things=named))
    targets = number_at(told, "targets")
    if targets:
        app.say(_("{count} coverage targets are again").format(count=figures.count(targets)))
    stays = records_of(dig(told, "stays"))
    if stays:
        app.say("", _("moved on since, and stays there:"))
        app.say(*draw(STAYS, stays[:MOST_SHOWN], app.width(), app.zone).lines)
    if dig(told, "undated_known") is False:
        app.say("", _("An earlier version entered this decision: its agents, collectors, secrets and "
                      "tokens are not known and stay where they are. Move them by hand."))  # fmt: skip


def _tell_hindrances(app: App, in_the_way: Sequence[Record]) -> None:
    """Name what builds on the decision, in the order in which to take it back."""
    app.say("", _("Cannot be taken back yet. First, in this order:"))
    for place, each in enumerate(in_the_way, 1):
        number = number_at(each, "number")
        told = each.get("why")
        why = [str(text) for text in told] if isinstance(told, list) else []
        more = len(why) - MOST_SHOWN
        said = " ".join(why[:MOST_SHOWN]) + (f" (+{figures.count(more)})" if more > 0 else "")
        if number is None:
            app.say(f"{place}. {said}")
            continue
        at = MOMENT.render(text_at(each, "at"), app.zone)
        head = _("{place}. {number}: {act} {subject}, {who}, {at}")
        app.say(
            head.format(
                place=place, number=number, act=each.get("act"), subject=each.get("subject"),
                who=each.get("who"), at=at,
            ),
            f"   {said}",
        )  # fmt: skip
        if each.get("undo") is True:
            app.say(f"   → kiemke unit undo {number} --reason …")
        else:
            app.say(f"   → kiemke audit list --about {each.get('subject')}")


COMMANDS = (decisions, undo)
