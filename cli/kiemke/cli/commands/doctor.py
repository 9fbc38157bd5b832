"""kiemke doctor: checks what must be right for the figures to be right, and says what to do."""

import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

import click
from rich.text import Text

from kiemke.cli import figures, session, tls
from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Command
from kiemke.cli.errors import KiemkeError, NotAllowed
from kiemke.cli.i18n import N_, _
from kiemke.cli.listing import json_option
from kiemke.cli.records import Record, text_at
from kiemke.cli.tables import as_json
from kiemke.cli.text import visible
from kiemke.cli.words import word

CLOCK_TOLERANCE_SECONDS = 60.0
QUIET_AFTER = timedelta(minutes=15)  # three posts of an agent's default interval
ENDS_SOON = timedelta(days=1)


class Verdict(Enum):
    """How one check ended."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNSEEN = "unseen"


MARKS = {
    Verdict.GOOD: ("✓", "green"),
    Verdict.WARN: ("!", "yellow"),
    Verdict.BAD: ("✗", "red"),
    Verdict.UNSEEN: ("·", ""),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was checked, how it ended, what to do (None when nothing)."""

    name: str
    verdict: Verdict
    what: str
    remedy: str | None = None


Check = Callable[[App, datetime], Sequence[Finding]]


def check_session(app: App, now: datetime) -> Sequence[Finding]:
    """The session file: there, readable, and by its owner alone."""
    name, path = _("Session"), app.settings.config_dir / session.FILE_NAME
    who = app.signed_in()
    # Windows keeps a profile's files to its user by ACLs, which mode bits do not show.
    if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return [
            Finding(
                name,
                Verdict.BAD,
                _("others on this machine can read {path}").format(path=path),
                f"chmod 600 {path}",
            )
        ]
    return [Finding(name, Verdict.GOOD, f"{who.name} @ {who.server}")]


def check_server(app: App, now: datetime) -> Sequence[Finding]:
    """The server answers, and proves itself by the pinned root."""
    app.client.healthy()
    who = app.signed_in()
    found = [Finding(_("Server"), Verdict.GOOD, _("answers"))]
    if who.ca_pem is None:
        return [
            *found,
            Finding(
                _("Root certificate"),
                Verdict.WARN,
                _("plain HTTP on this machine: nothing is pinned"),
                _("use https:// for anything but a trial"),
            ),
        ]
    pin = tls.spaced(tls.fingerprint(who.ca_pem))
    return [*found, Finding(_("Root certificate"), Verdict.GOOD, _("as pinned: ") + pin)]


def check_clock(app: App, now: datetime) -> Sequence[Finding]:
    """This machine's clock against the server's, to the second that HTTP dates have."""
    offset = app.client.clock_offset_seconds
    name = _("Clock")
    if offset is None:
        return [Finding(name, Verdict.UNSEEN, _("the server did not say its time"))]
    told = _("{seconds} s from the server's").format(seconds=figures.count(round(-offset)))
    if abs(offset) > CLOCK_TOLERANCE_SECONDS:
        remedy = _("set this machine's clock, or let it follow the network's (NTP)")
        return [Finding(name, Verdict.BAD, told, remedy)]
    return [Finding(name, Verdict.GOOD, told)]


def check_rights(app: App, now: datetime) -> Sequence[Finding]:
    """The token is accepted, what it may do, and how long it lasts."""
    me = app.client.get("/me")
    role = text_at(me, "role") or "?"
    found = [Finding(_("Rights"), Verdict.GOOD, f"{text_at(me, 'name')}: {word('role', role)}")]
    ends = figures.read_moment(app.signed_in().expires_at)
    if ends is None:
        return found
    told = _("until {moment}").format(moment=figures.moment(ends, app.zone))
    soon = ends - now < ENDS_SOON
    remedy = _("sign in again: kiemke login") if soon else None
    return [*found, Finding(_("Token"), Verdict.WARN if soon else Verdict.GOOD, told, remedy)]


def check_sources(app: App, now: datetime) -> Sequence[Finding]:
    """Agents and collectors: there, approved, heard lately."""
    rows = app.client.items("/sources").items
    return [
        _presence(_("Agents"), "agent", rows, now),
        _presence(_("Collectors"), "collector", rows, now),
        *_waiting(rows),
    ]


def _presence(name: str, kind: str, rows: Sequence[Record], now: datetime) -> Finding:
    mine = [
        row for row in rows if text_at(row, "kind") == kind and text_at(row, "state") == "approved"
    ]
    if not mine:
        remedy = _("make a token: kiemke source token --unit UNIT --kind {kind}").format(kind=kind)
        return Finding(name, Verdict.BAD, _("none is approved"), remedy)
    heard = [figures.read_moment(row.get("last_received_at")) for row in mine]
    fresh = sum(1 for moment in heard if moment is not None and now - moment <= QUIET_AFTER)
    told = _("{fresh} of {all} heard in the last 15 minutes").format(
        fresh=figures.count(fresh), all=figures.count(len(mine))
    )
    if fresh:
        return Finding(name, Verdict.GOOD, told)
    remedy = _("see when each was heard: kiemke source list; look at its log there")
    # At night every PC may be off; a collector never is.
    return Finding(name, Verdict.WARN if kind == "agent" else Verdict.BAD, told, remedy)


def _waiting(rows: Sequence[Record]) -> Sequence[Finding]:
    found = []
    for state, remedy in (
        ("pending", _("kiemke source list --state pending, then kiemke source approve")),
        ("quarantined", _("kiemke finding list tells which machines share an identity")),
    ):
        number = sum(1 for row in rows if text_at(row, "state") == state)
        if number:
            told = f"{word('source_state', state)}: {figures.count(number)}"
            found.append(Finding(_("Sources"), Verdict.WARN, told, remedy))
    return found


CHECKS: tuple[tuple[str, Check], ...] = (
    (N_("Session"), check_session),
    (N_("Server"), check_server),
    (N_("Clock"), check_clock),
    (N_("Rights"), check_rights),
    (N_("Sources"), check_sources),
)
# Without these nothing after them can be asked.
NEEDED = (check_session, check_server)


def examine(app: App, now: datetime) -> list[Finding]:
    """Run the checks in order; one that fails is its own finding."""
    found: list[Finding] = []
    for title, check in CHECKS:
        try:
            found.extend(check(app, now))
        except NotAllowed as err:
            signed_out = err.status == 401
            verdict = Verdict.BAD if signed_out else Verdict.UNSEEN
            found.append(Finding(_(title), verdict, err.what, err.remedy))
        except KiemkeError as err:
            found.append(Finding(_(title), Verdict.BAD, err.what, err.remedy))
            if check in NEEDED:
                break
    return found


@click.command(
    "doctor",
    cls=Command,
    help=N_(
        "Check the session, the server, its root certificate, the clock, your rights, and that "
        "agents and collectors are heard. Exit 1 when something is wrong."
    ),
    examples=("kiemke doctor", "kiemke kham --json"),
)
@json_option
@pass_app
def doctor(app: App, json: bool) -> int:
    """Check everything; one line each."""
    found = examine(app, datetime.now(UTC))
    if json:
        rows = [
            {"name": f.name, "verdict": f.verdict.value, "what": f.what, "remedy": f.remedy}
            for f in found
        ]
        app.write(as_json(rows) + "\n")
    else:
        for finding in found:
            _print(app, finding)
    return 1 if any(finding.verdict is Verdict.BAD for finding in found) else 0


def _print(app: App, finding: Finding) -> None:
    mark, style = MARKS[finding.verdict]
    line = Text(f"{mark} ", style=style)
    line.append(f"{finding.name}: {visible(finding.what)}")
    app.say(line)
    if finding.remedy:
        app.say(f"    → {finding.remedy}")
