"""kiemke asset status, set, create: what a paper changes of one asset; drafts of PCs that were seen."""

from typing import Any
from urllib.parse import quote

import click

from kiemke.cli.app import App, pass_app
from kiemke.cli.choices import Choice
from kiemke.cli.command import Command, argument, option
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import DAY, DONG, TEXT, Kind, words
from kiemke.cli.listing import DayType, json_option
from kiemke.cli.pick import ASSET, MACHINE, pick, reference
from kiemke.cli.records import Record, dig, text_at
from kiemke.cli.tables import ABSENT, Column, as_json, cell

NONE = "-"
_FIELDS: dict[str, tuple[str, Kind]] = {
    "status": (N_("Condition"), words("status")),
    "price_dong": (N_("Original cost"), DONG),
    "in_use_since": (N_("In use since"), DAY),
    "ownership": (N_("Ownership"), words("ownership")),
    "owner_name": (N_("Lender or provider"), TEXT),
    "return_on": (N_("Due back"), DAY),
    "name": (N_("Name"), TEXT),
    "code": (N_("Code"), TEXT),
    "tag": (N_("Sticker"), TEXT),
    "serial": (N_("Serial number"), TEXT),
    "mac_key": ("MAC", TEXT),
    "kind": (N_("Kind"), words("thing")),
    "no_agent_reason": (N_("Carries no agent because"), words("no_agent")),
}


def _told(app: App, told: object, json: bool) -> None:
    """Show what is so before and after, and whether it was written."""
    if json:
        app.write(as_json(told) + "\n")
        return
    app.heading(_("Asset {code}").format(code=text_at(told, "code")))
    before, after = dig(told, "before"), dig(told, "after")
    for name, (heading, kind) in _FIELDS.items():
        if isinstance(after, dict) and name in after:
            was, now = (_said(app, name, kind, side) for side in (before, after))
            title = _(heading)
            app.say(f"  {title}: {was} → {now}")
    if not after:
        app.say(_("nothing changes"))
    number = dig(told, "approval")
    if number is not None:
        text = _("It waits for another person's yes: kiemke approve yes {number}")
        app.say("", text.format(number=number))
    elif dig(told, "applied") is True:
        app.say("", _("Written."))
    else:
        app.say("", _("Nothing was written yet. The same command with --apply does it."))


def _said(app: App, name: str, kind: Kind, side: object) -> str:
    record: Record = side if isinstance(side, dict) else {}
    return cell(Column("", name, kind), record, app.zone) or ABSENT


def _paper_options(command: Any) -> Any:
    for wrap in (
        json_option,
        option("--apply", "--ghi", "apply", is_flag=True, help=N_("Do it.")),
        option("--paper", "--so", "paper", required=True, metavar=N_("NUMBER"),
               help=N_("Number of the paper.")),
        option("--date", "--ngay", "day", required=True, type=DayType(), metavar=N_("DAY"),
               help=N_("Since when it is so.")),
    ):  # fmt: skip
        command = wrap(command)
    return command


def _send(app: App, ref: str, what: str, body: dict[str, Any], apply: bool) -> object:
    code = reference(app, ASSET, ref) or ""
    return app.client.send(
        "POST",
        f"/assets/{quote(code, safe='')}/{what}",
        parameters={"apply": "true" if apply else "false"},
        body=body,
    )


@click.command(
    "status",
    cls=Command,
    alias="tinh-trang",
    help=N_(
        "Record an asset's condition by its paper: in_stock, in_use, under_repair, broken, "
        "awaiting_disposal, disposed, lost. Nothing is written without --apply."
    ),
    examples=(
        "kiemke asset status PC-0042 broken --date 05/11/2026 --paper 12/BB",
        "kiemke tai-san tinh-trang PC-0042 disposed --ngay … --so 9/QĐ --ghi",
    ),
)
@argument("ref", metavar=N_("ASSET"))
@argument("state", type=Choice("status"), metavar=N_("CONDITION"))
@_paper_options
@pass_app
def status(
    app: App, ref: str, state: str, day: str, paper: str, apply: bool, json: bool
) -> None:  # fmt: skip
    """Record a condition."""
    body = {"status": state, "day": day, "instrument": paper}
    _told(app, _send(app, ref, "status", body, apply), json)


def _dong(text: str) -> int | None:
    """Read a whole amount with or without grouping, "-" as none. Raises KiemkeError."""
    plain = text.replace(".", "").replace(",", "").replace(" ", "")
    if text == NONE:
        return None
    if not plain.isascii() or not plain.isdecimal():
        raise KiemkeError(
            _("{value} is no amount").format(value=text),
            where="--price",
            remedy=_("write whole đồng, e.g. 15.000.000"),
        )
    return int(plain)


@click.command(
    "set",
    cls=Command,
    alias="sua",
    help=N_(
        "Record what a paper says of an asset from a day on: price, first use, whose it is. Years "
        "whose wear is closed do not move. “-” clears a field. Nothing is written without --apply."
    ),
    examples=(
        "kiemke asset set PC-0042 --price 15.500.000 --date 01/11/2026 --paper 12/QĐ",
        "kiemke tai-san sua ONT-01 --ownership provider --owner VNPT --ngay … --so HĐ-7",
    ),
)
@argument("ref", metavar=N_("ASSET"))
@option("--price", "--nguyen-gia", "price", metavar=N_("DONG"), help=N_("Original cost."))
@option("--in-use-since", "--dua-vao-su-dung", "since", metavar=N_("DAY"),
        help=N_("Day of first use."))  # fmt: skip
@option("--ownership", "--so-huu", "ownership", type=Choice("ownership"),
        metavar=N_("WHOSE"), help=N_("owned, borrowed, provider, unproven or private."))  # fmt: skip
@option("--owner", "--ben-cho-muon", "owner", metavar=N_("NAME"), help=N_("Lender or provider."))
@option("--return-on", "--han-tra", "return_on", metavar=N_("DAY"), help=N_("Due back on."))
@option("--name", "--ten", "name", metavar=N_("NAME"), help=N_("Its name from then on."))
@option("--code", "--ma", "code", metavar=N_("CODE"), help=N_("The new code."))
@option("--tag", "--tem", "tag", metavar=N_("STICKER"), help=N_("Number on the sticker."))
@option("--serial", metavar=N_("SERIAL"), help=N_("Serial number."))
@option("--kind", "--loai", "kind", type=Choice("thing"),
        metavar=N_("KIND"), help=N_("What kind of thing it is from then on."))  # fmt: skip
@option("--no-agent", "--khong-tac-tu", "no_agent", metavar=N_("REASON"),
        type=Choice("no_agent", also=(NONE,)),
        help=N_("Why it may carry no agent: secret, off_network, ..."))  # fmt: skip
@option("--mac", metavar="MAC", help=N_("MAC address of its built-in adapter."))
@_paper_options
@pass_app
def set_(
    app: App, ref: str, price: str | None, since: str | None, ownership: str | None,
    owner: str | None, return_on: str | None, name: str | None, code: str | None, tag: str | None,
    serial: str | None, kind: str | None, no_agent: str | None, mac: str | None, day: str, paper: str,
    apply: bool, json: bool,
) -> None:  # fmt: skip
    """Record facts."""
    given = {
        "in_use_since": since, "ownership": ownership, "owner_name": owner,
        "return_on": return_on, "name": name, "code": code, "tag": tag, "serial": serial, "mac": mac,
        "kind": kind, "no_agent_reason": no_agent,
    }  # fmt: skip
    days = DayType()
    body: dict[str, Any] = {"day": day, "instrument": paper}
    for key, value in given.items():
        if value is not None:
            isday = key in ("in_use_since", "return_on") and value != NONE
            body[key] = days.convert(value, None, None) if isday else value
            body[key] = None if value == NONE else body[key]
    if price is not None:
        body["price_dong"] = _dong(price)
    _told(app, _send(app, ref, "facts", body, apply), json)


@click.command(
    "create",
    cls=Command,
    alias="ghi-so",
    help=N_(
        "Book a PC that was seen as a draft without paper. It counts nowhere, and auditors see it "
        "apart, until “asset set --ownership owned --paper …” says whose it is."
    ),
    examples=(
        "kiemke asset create --from-machine TG-VP-07",
        "kiemke tai-san ghi-so --tu-may 12 --code PC-0900",
    ),
)
@option("--from-machine", "--tu-may", "machine", required=True, metavar=N_("MACHINE"),
        help=N_("The machine, by number, name or serial."))  # fmt: skip
@option("--code", "--ma", "code", metavar=N_("CODE"), help=N_("Its code; NHAP-NUMBER without."))
@json_option
@pass_app
def create(app: App, machine: str, code: str | None, json: bool) -> None:
    """Book a draft."""
    found = pick(app, MACHINE, machine)
    told = app.client.send("POST", "/assets", body={"machine": text_at(found, "id"), "code": code})
    if json:
        app.write(as_json(told) + "\n")
        return
    app.say(
        _("Booked as a draft: {code} {name}").format(
            code=text_at(told, "code"), name=text_at(told, "after.name")
        )
    )


COMMANDS = (status, set_, create)
