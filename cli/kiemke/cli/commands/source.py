"""kiemke source: agents and collectors, their approval, and the tokens that enrol them."""

import textwrap
from urllib.parse import quote

import click

from kiemke.cli import state_reasons
from kiemke.cli import words as vocabulary
from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Group, argument, option
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import CLOCK, COUNT, MOMENT, THING, words
from kiemke.cli.listing import (
    Shape,
    items_where,
    json_option,
    search_options,
    shape_options,
    show,
    show_one,
)
from kiemke.cli.pick import SOURCE, UNIT, pick, reference
from kiemke.cli.records import Record, dig, records_of, text_at
from kiemke.cli.source_kit import kit
from kiemke.cli.tables import Column, as_json, draw
from kiemke.cli.words import word

COLUMNS = (
    Column(N_("Source"), "id", flexible=True),
    Column(N_("Kind"), "kind", words("source_kind")),
    Column(N_("State"), "state", words("source_state")),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Machine"), "hostname", flexible=True),
    Column(N_("Last heard"), "last_received_at", MOMENT),
)
FIELDS = (
    *COLUMNS,
    Column(N_("Clock"), "clock_offset_seconds", CLOCK),
    Column(N_("Because"), "state_reason", state_reasons.KIND),
    Column(N_("Reports set aside"), "rejected", COUNT),
    Column(N_("Probe since"), "probe_since", MOMENT),
    Column(N_("Probe targets"), "probes", COUNT),
)
TOLD = "source_event_told"
EVENTS = (
    Column(N_("At"), "at", MOMENT),
    Column(N_("Event"), "name", words("source_event")),
    Column(N_("Told"), "told", flexible=True),
)
HELD = (
    Column(N_("No."), "id"),
    Column(N_("Name"), "name", flexible=True),
    Column(N_("Kind"), "kind", words("secret_kind")),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("First given"), "first_at", MOMENT, optional=1),
    Column(N_("Last given"), "last_at", MOMENT),
    Column(N_("To change"), "to_change"),
)
TOKENS = (
    Column(N_("No."), "id"),
    Column(N_("Kind"), "kind", words("source_kind")),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Uses left"), "uses_left", COUNT),
    Column(N_("Ends"), "expires_at", MOMENT),
    Column(N_("Revoked"), "revoked_at", MOMENT, optional=1),
)


@click.group(
    "source",
    cls=Group,
    help=N_("Agents and collectors that report."),
    examples=("kiemke source list --state pending", "kiemke nguon token --don-vi TG-VP"),
)
def source() -> None:
    """Hold the verbs."""


source.add_command(kit)


@source.command(
    "list",
    alias="danh-sach",
    help=N_("List sources, with when each was last heard."),
    examples=("kiemke source list", "kiemke nguon list --state pending"),
)
@option(
    "--state",
    type=Choice("source_state"),
    help=N_("Only sources in this state."),
)
@search_options
@shape_options
@pass_app
def list_(app: App, state: str | None, unit: str | None, search: str | None, shape: Shape) -> None:
    """List sources."""
    asked = {"unit": reference(app, UNIT, unit), "q": search}
    listing = items_where(app, "/sources", asked, shape, state=state)
    show(app, _("Sources"), COLUMNS, listing, shape)


@source.command(
    "show",
    alias="xem",
    help=N_("Show one source, by its id or the name of its machine."),
    examples=("kiemke source show TG-VP-07", "kiemke nguon xem TG-VP-07 --json"),
)
@argument("ref", metavar=N_("SOURCE"))
@json_option
@pass_app
def show_(app: App, ref: str, json: bool) -> None:
    """Show a source."""
    found = pick(app, SOURCE, ref)
    if json:
        app.write(as_json(found) + "\n")
        return
    show_one(app, _("Source"), FIELDS, found)
    events = [{**each, "told": _told(each)} for each in records_of(dig(found, "events"))]
    if events:
        app.say("", *draw(EVENTS, events, app.width(), app.zone).lines)


def _told(event: Record) -> str:
    """Return what an event tells, by key."""
    detail = event.get("detail")
    if not isinstance(detail, dict):
        return ""
    pairs = (
        (word(TOLD, str(key)), _(word(TOLD, str(value)))) for key, value in detail.items() if value
    )
    return ", ".join(map(": ".join, pairs))


@source.command(
    "approve",
    alias="duyet",
    help=N_("Approve a source: from now on what it says counts."),
    examples=("kiemke source approve TG-VP-07", "kiemke nguon duyet TG-VP-07"),
)
@argument("ref", metavar=N_("SOURCE"))
@pass_app
def approve(app: App, ref: str) -> None:
    """Approve a source."""
    _decide(app, ref, "approve")


@source.command(
    "revoke",
    alias="thu-hoi",
    help=N_(
        "Revoke a source: it is refused from now on, what it said is kept. Of a collector, every "
        "secret it was ever given is listed, to be changed."
    ),
    examples=("kiemke source revoke TG-VP-07", "kiemke nguon thu-hoi TG-VP-07"),
)
@argument("ref", metavar=N_("SOURCE"))
@pass_app
def revoke(app: App, ref: str) -> None:
    """Revoke a source."""
    identity = _decide(app, ref, "revoke")
    held = records_of(app.client.send("GET", f"/sources/{quote(identity, safe='')}/secrets"))
    due = [each for each in held if each.get("to_change")]
    if due:
        note = _("It was given these; change each (kiemke secret rotate, then the devices):")
        app.say("", *textwrap.wrap(note, app.width()))
        app.say(*draw(HELD, due, app.width(), app.zone).lines)


@source.command(
    "probe",
    alias="tham-do",
    help=N_(
        "Name an agent its site's probe, where there is no collector: it pings the probe targets of "
        "the lines there (gateway, ISP, domestic), at most six, and can be told nothing else."
    ),
    examples=("kiemke source probe on TG-XA-07", "kiemke nguon tham-do off TG-XA-07"),
)
@argument("switch", type=click.Choice(("on", "off")), metavar="on|off")
@argument("ref", metavar=N_("SOURCE"))
@pass_app
def probe(app: App, switch: str, ref: str) -> None:
    """Name an agent its site's probe, or no longer."""
    identity = text_at(pick(app, SOURCE, ref), "id") or ref
    path = f"/sources/{quote(identity, safe='')}/probe"
    found = _record(app.client.send("POST", path, body={"on": switch == "on"}))
    machine = text_at(found, "hostname") or "?"
    if switch == "off":
        app.say(_("{source} ({machine}) probes no more").format(source=identity, machine=machine))
        return
    app.say(
        _("{source} ({machine}) probes {count} targets from its next report on").format(
            source=identity, machine=machine, count=COUNT.render(found.get("probes"), app.zone)
        )
    )
    if not found.get("probes"):
        app.say(
            _("No line here has probe targets: give it some (kiemke import links, column probes).")
        )


@source.command(
    "secrets",
    alias="bi-mat",
    help=N_("List every secret a collector was ever given, and what is still to be changed."),
    examples=("kiemke source secrets col-7f3a", "kiemke nguon bi-mat col-7f3a --json"),
)
@argument("ref", metavar=N_("SOURCE"))
@json_option
@pass_app
def secrets(app: App, ref: str, json: bool) -> None:
    """List what a collector was given."""
    identity = text_at(pick(app, SOURCE, ref), "id") or ref
    held = app.client.send("GET", f"/sources/{quote(identity, safe='')}/secrets")
    if json:
        app.write(as_json(held) + "\n")
        return
    app.say(*draw(HELD, records_of(held), app.width(), app.zone).lines)


def _decide(app: App, ref: str, verb: str) -> str:
    identity = text_at(pick(app, SOURCE, ref), "id") or ref
    found = app.client.send("POST", f"/sources/{quote(identity, safe='')}/{verb}")
    app.say(
        _("{source} ({machine}) is now: {state}").format(
            source=identity,
            machine=text_at(found, "hostname") or "?",
            state=vocabulary.word("source_state", text_at(found, "state") or "?"),
        )
    )
    return identity


@source.command(
    "token",
    alias="ma",
    help=N_(
        "Make a token that enrols agents (or a collector) of a unit. It is shown once. By default "
        "it can be used as often as the unit has people, for 14 days at most."
    ),
    examples=(
        "kiemke source token --unit TG-VP",
        "kiemke nguon ma --don-vi TG --kind collector --approves",
        "kiemke source token --unit TG-XA --via https://10.5.9.2:8443",
    ),
)
@option("--unit", "--don-vi", "unit", required=True, metavar=N_("UNIT"), help=N_("Whose PCs."))
@option(
    "--kind",
    type=click.Choice(("agent", "collector")),
    default="agent",
    help=N_("What it enrols (agent if not given)."),
)
@option("--uses", type=click.IntRange(min=1), metavar=N_("TIMES"), help=N_("How often."))
@option("--days", type=click.IntRange(1, 14), metavar=N_("DAYS"), help=N_("How long."))
@option("--approves", is_flag=True, help=N_("What it enrols counts at once, without approval."))
@option(
    "--via",
    multiple=True,
    metavar="URL",
    help=N_("Address of a relay on the site, tried before the server's own (may be repeated)."),
)
@json_option
@pass_app
def token(
    app: App,
    unit: str,
    kind: str,
    uses: int | None,
    days: int | None,
    approves: bool,
    via: tuple[str, ...],
    json: bool,
) -> None:
    """Make an enrolment token."""
    asked = {"unit": reference(app, UNIT, unit), "kind": kind, "uses": uses, "days": days}
    body: dict[str, object] = {name: value for name, value in asked.items() if value is not None}
    body |= {"approves": approves, "via": list(via)}
    made = app.client.send("POST", "/enrolment-tokens", body=body)
    if json:
        app.write(as_json(made) + "\n")
        return
    program = "kiemke-agent" if kind == "agent" else "kiemke-collector"
    until = MOMENT.render(_record(made).get("expires_at"), app.zone)
    app.say(_("Valid until {moment}; it is not shown again. On each machine:").format(moment=until))
    # Written whole on one line of its own, so that it can be copied.
    app.say(f"{program} enroll {text_at(made, 'token')}")


def _record(found: object) -> dict[str, object]:
    return found if isinstance(found, dict) else {}


@source.command(
    "tokens",
    alias="cac-ma",
    help=N_("List enrolment tokens (never their secrets)."),
    examples=("kiemke source tokens", "kiemke nguon tokens --json"),
)
@shape_options
@pass_app
def tokens(app: App, shape: Shape) -> None:
    """List enrolment tokens."""
    listing = app.client.items("/enrolment-tokens", None, shape.rows)
    show(app, _("Enrolment tokens"), TOKENS, listing, shape)


@source.command(
    "revoke-token",
    alias="huy-ma",
    help=N_("Revoke an enrolment token and every source it admitted."),
    examples=("kiemke source revoke-token 7f3a9c", "kiemke nguon huy-ma 7f3a9c --yes"),
)
@argument("token_id", metavar=N_("TOKEN_NUMBER"))
@option("--yes", is_flag=True, help=N_("Do not ask."))
@pass_app
def revoke_token(app: App, token_id: str, yes: bool) -> None:
    """Revoke an enrolment token."""
    question = _("Revoke token {token} and every source it admitted?").format(token=token_id)
    if not yes and not click.confirm(question, err=True):
        raise click.Abort
    app.client.send("DELETE", f"/enrolment-tokens/{quote(token_id, safe='')}")
    app.say(_("Revoked: {token}").format(token=token_id))
