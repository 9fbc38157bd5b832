"""kiemke site: the subnets of units, where collectors may look and where they never do."""

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.command import Group, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, MOMENT, THING, words
from kiemke.cli.listing import (
    DayType,
    Shape,
    Times,
    json_option,
    search_options,
    shape_options,
    show,
    time_options,
)
from kiemke.cli.pick import PLACE, UNIT, reference
from kiemke.cli.records import dig, text_at
from kiemke.cli.tables import Column, as_json

COLUMNS = (
    Column(N_("No."), "id"),
    Column(N_("Unit"), "unit", THING, flexible=True),
    Column(N_("Place"), "place", optional=2),
    Column(N_("Subnet"), "subnet"),
    Column(N_("Never looked at"), "deny"),
    Column(N_("Note"), "note", flexible=True),
    Column(N_("Since"), "valid_from", DAY, optional=1),
)


@click.group(
    "site",
    cls=Group,
    help=N_("The networks of units."),
    examples=("kiemke site subnet list", "kiemke co-so mang-con them 10.5.9.0/24 --don-vi TG"),
)
def site() -> None:
    """Hold the nouns."""


@site.group(
    "subnet",
    cls=Group,
    alias="mang-con",
    help=N_(
        "Subnets where a unit's devices stand. Collectors poll nothing outside them, and nothing "
        "in those that are denied."
    ),
    examples=("kiemke site subnet list", "kiemke site subnet add 10.5.9.0/24 --unit TG"),
)
def subnet() -> None:
    """Hold the verbs."""


@subnet.command(
    "list",
    alias="danh-sach",
    help=N_("List registered subnets."),
    examples=("kiemke site subnet list", "kiemke co-so mang-con list --don-vi TG"),
)
@search_options
@time_options
@shape_options
@pass_app
def list_(app: App, unit: str | None, search: str | None, times: Times, shape: Shape) -> None:
    """List subnets."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
    }
    show(app, _("Subnets"), COLUMNS, app.client.items("/site-subnets", asked, shape.rows), shape)


@subnet.command(
    "add",
    alias="them",
    help=N_(
        "Register a subnet of a unit: its devices, and those of units below, may be polled there. "
        "With --deny, nothing is ever looked at there (a police or party network)."
    ),
    examples=(
        "kiemke site subnet add 10.5.9.0/24 --unit TG-XA",
        "kiemke co-so mang-con them 10.5.9.64/26 --don-vi TG-XA --deny --note 'công an'",
    ),
)
@argument("subnet", metavar=N_("SUBNET"))
@option("--unit", "--don-vi", "unit", required=True, metavar=N_("UNIT"), help=N_("Whose it is."))
@option("--place", "--noi", "place", metavar=N_("PLACE"), help=N_("Where it is."))
@option("--deny", is_flag=True, help=N_("Never look there."))
@option("--note", metavar=N_("TEXT"), help=N_("Whose network it is, or why."))
@option("--loopback", is_flag=True, help=N_("It is meant to be the machine itself (tests only)."))
@option(
    "--day", "--ngay", "day", type=DayType(), metavar=N_("DAY"), help=N_("From when on (today).")
)
@option("--paper", "--so", "paper", metavar=N_("NUMBER"), help=N_("The paper behind it, if any."))
@json_option
@pass_app
def add(
    app: App, subnet: str, unit: str, place: str | None, deny: bool, note: str | None,
    loopback: bool, day: str | None, paper: str | None, json: bool,
) -> None:  # fmt: skip
    """Register a subnet."""
    body = {
        "unit": reference(app, UNIT, unit),
        "place": reference(app, PLACE, place),
        "subnet": subnet,
        "deny": deny,
        "note": note,
        "loopback": loopback,
        "day": day,
        "instrument": paper,
    }
    given = {name: value for name, value in body.items() if value is not None}
    _said(app, app.client.send("POST", "/site-subnets", body=given), subnet, json)


@subnet.command(
    "remove",
    alias="bo",
    help=N_("End a subnet: nothing is polled there any more. Its past is kept."),
    examples=("kiemke site subnet remove 7", "kiemke co-so mang-con bo 10.5.9.0/24"),
)
@argument("ref", metavar=N_("SUBNET"))
@option(
    "--day", "--ngay", "day", type=DayType(), metavar=N_("DAY"), help=N_("From when on (today).")
)
@option("--paper", "--so", "paper", metavar=N_("NUMBER"), help=N_("The paper behind it, if any."))
@json_option
@pass_app
def remove(app: App, ref: str, day: str | None, paper: str | None, json: bool) -> None:
    """End a subnet."""
    body = {"day": day, "instrument": paper}
    given = {name: value for name, value in body.items() if value is not None}
    told = app.client.send("POST", f"/site-subnets/{_find(app, ref)}/end", body=given)
    _said(app, told, ref, json)


def _find(app: App, ref: str) -> int:
    """Return the number of the one row that a number or a subnet names. Raises KiemkeError."""
    found = [
        item
        for item in app.client.items("/site-subnets", {}, 1000).items
        if ref in (str(item.get("id")), text_at(item, "subnet"))
    ]
    if len(found) == 1:
        return int(str(found[0]["id"]))
    if not found:
        raise KiemkeError(
            _("no such subnet: {ref}").format(ref=ref),
            remedy=_("see kiemke site subnet list"),
        )
    raise KiemkeError(
        _("several units have {ref}").format(ref=ref),
        remedy=_("give its number; see kiemke site subnet list"),
    )


def _said(app: App, told: object, ref: str, json: bool) -> None:
    if json:
        app.write(as_json(told) + "\n")
        return
    app.say(_("Done: {ref}").format(ref=ref))
    outside = dig(told, "outside")
    if isinstance(outside, list) and outside:
        codes = ", ".join(map(str, outside))
        app.say(
            _("Devices outside the subnets of their unit, no longer polled: {codes}").format(
                codes=codes
            )
        )


HOSTS = (
    Column(N_("Address"), "address"),
    Column(N_("MAC"), "mac", optional=2),
    Column(N_("Unit"), "unit", THING, flexible=True, optional=3),
    Column(N_("Seen by"), "signs", optional=4),
    Column(N_("Ports"), "open_ports", flexible=True, optional=5),
    Column(N_("Says it is"), "sys_descr", flexible=True, optional=6),
    Column(N_("Known"), "is_known"),
    Column(N_("Last seen"), "seen_at", MOMENT, optional=1),
    Column(N_("Cheapest step"), "fix", words("lan_fix"), below=True),
)


@site.command(
    "hosts",
    alias="may-thay",
    help=N_("List what collectors found in the registered subnets, known and unknown."),
    examples=("kiemke site hosts --unit TG-XA", "kiemke co-so may-thay --unknown --csv"),
)
@option("--unknown", "--la", "unknown", is_flag=True, help=N_("Only what is nothing of ours."))
@search_options
@time_options
@shape_options
@pass_app
def hosts(
    app: App, unknown: bool, unit: str | None, search: str | None, times: Times, shape: Shape
) -> None:
    """List hosts that sweeps found."""
    asked = {
        **times.parameters(),
        "unit": reference(app, UNIT, unit, times.parameters()),
        "q": search,
        "unknown": "true" if unknown else None,
    }
    title = _("Unknown on the network") if unknown else _("Seen on the network")
    show(app, title, HOSTS, app.client.items("/lan-hosts", asked, shape.rows), shape)
