"""What a decision on units, or its taking back, does to units and moves between them."""

from collections import Counter

from kiemke.cli import figures
from kiemke.cli.app import App
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import THING, words
from kiemke.cli.records import dig, records_of, text_at
from kiemke.cli.tables import Column, draw
from kiemke.cli.words import word

MOST_SHOWN = 40
MOVED = (
    Column(N_("What"), "what", words("holding")),
    Column(N_("Code"), "code"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("From"), "from", THING, flexible=True),
    Column(N_("To"), "to", THING, flexible=True),
)


def tell_moves(app: App, told: object, labels: dict[str, str], carried: str) -> None:
    """Show the units of each key of ``labels`` and what moves between units; ``carried`` counts it by kind."""
    for key, label in labels.items():
        rows = records_of(dig(told, key))
        if rows:
            shown = ", ".join(f"{row.get('code')} {row.get('name')}" for row in rows[:MOST_SHOWN])
            app.say(f"{label} ({figures.count(len(rows))}): {shown}")
    moved = records_of(dig(told, "moved"))
    if moved:
        kinds = Counter(text_at(row, "what") or "" for row in moved)
        counts = [f"{word('holding', what)} {figures.count(n)}" for what, n in kinds.items()]
        app.say(carried.format(counts=", ".join(counts)))
        app.say("", *draw(MOVED, moved[:MOST_SHOWN], app.width(), app.zone).lines)
    if len(moved) > MOST_SHOWN:
        more = _("… and {count} more; --json has them all")
        app.say(more.format(count=figures.count(len(moved) - MOST_SHOWN)))
