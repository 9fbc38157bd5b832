"""kiemke asset count: a person found assets or missed them on a day, by a paper."""

from pathlib import Path

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, THING, words
from kiemke.cli.listing import DayType, json_option
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.tables import Column, as_json, draw

ITEMS = (
    Column(N_("Code"), "asset.code"),
    Column(N_("Name"), "asset", THING, flexible=True),
    Column(N_("Kind"), "kind", words("thing"), optional=2),
    Column(N_("Found"), "result", words("count_result")),
    Column(N_("Before"), "before_result", words("count_result")),
    Column(N_("On"), "before_day", DAY, optional=1),
    Column(N_("What it does"), "outcome", words("change")),
)


def _read_codes(path: Path) -> list[str]:
    """Return the first word of each line that is not empty and no comment. Raises KiemkeError."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KiemkeError(
            _("the file of codes cannot be read"),
            where=str(path),
            remedy=_("give a UTF-8 text file with one asset code a line"),
        ) from error
    words_ = (line.split() for line in lines)
    return [found[0] for found in words_ if found and not found[0].startswith("#")]


@click.command(
    "count",
    cls=Command,
    alias="kiem-dem",
    help=N_(
        "Record that a person found assets, or missed them, on a day. A PC that may carry no agent "
        "counts as covered for a year after it was found; one that was missed contradicts the book. "
        "Nothing is written without --apply."
    ),
    examples=(
        "kiemke asset count TS01 TS02 --result seen --day … --by … --paper … --apply",
        "kiemke tai-san kiem-dem TS03 --ket-qua missing --ngay … --nguoi … --ghi",
    ),
)
@argument("assets", nargs=-1, metavar=N_("[ASSET]..."))
@option(
    "--result",
    "--ket-qua",
    "result",
    type=Choice("count_result"),
    required=True,
    metavar=N_("RESULT"),
    help=N_("Whether they were there: seen or missing."),
)
@option(
    "--day", "--ngay", "day", type=DayType(), required=True, metavar=N_("DAY"),
    help=N_("The day they were looked for."),
)  # fmt: skip
@option("--by", "--nguoi", "by", required=True, metavar=N_("NAME"), help=N_("Who looked."))
@option("--paper", "--so", "paper", metavar=N_("NUMBER"), help=N_("Number of the minutes."))
@option(
    "--codes",
    "--tep",
    "codes",
    type=click.Path(path_type=Path),
    metavar=N_("FILE"),
    help=N_("A text file with one asset code a line (a scanner writes such files)."),
)
@option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it."))
@json_option
@pass_app
def count(
    app: App, assets: tuple[str, ...], result: str, day: str, by: str, paper: str | None,
    codes: Path | None, apply: bool, json: bool,
) -> None:  # fmt: skip
    """Record a count."""
    named = [*assets, *(_read_codes(codes) if codes else [])]
    if not named:
        raise click.UsageError(_("name the assets, or a file of codes with --codes"))
    told = app.client.send(
        "POST",
        "/counts",
        parameters={"apply": "true" if apply else "false"},
        body={
            "items": [{"asset": code, "result": result} for code in dict.fromkeys(named)],
            "day": day,
            "counted_by": by,
            "instrument": paper,
        },
    )
    if json:
        app.write(as_json(told) + "\n")
        return
    rows = records_of(dig(told, "items"))
    app.heading(_("Count of {day}").format(day=DAY.render(text_at(told, "day"), app.zone)))
    app.say(*draw(ITEMS, rows, app.width(), app.zone).lines)
    if dig(told, "applied") is True:
        app.say("", _("Written."))
    else:
        app.say("", _("Nothing was written yet. The same command with --apply does it."))
