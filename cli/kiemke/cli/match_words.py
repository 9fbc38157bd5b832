"""A machine and its candidates in words: what was compared, and how much it says."""

from datetime import tzinfo

from kiemke.cli import figures
from kiemke.cli.app import App
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import MOMENT, Kind
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.words import word

REASONS: dict[str, str] = {
    "serial": N_("serial number {value}"),
    "mac": N_("MAC address {value}"),
    "tag": N_("firmware asset tag {value}"),
    "hostname": N_("called {value}"),
    "account": N_("{value} sits at it"),
    "claimed_tag": N_("at its installation its sticker was said to be {value}"),
    "claimed_holder": N_("at its installation {value} was said to use it"),
    "unit": N_("reports from {value}"),
    "kind": N_("both a {value}"),
    "model": N_("model {value}"),
    "serial_other": N_("two serial numbers: {value}"),
    "kind_other": N_("the book says {value}"),
}


def reason_of(reason: Record) -> str:
    """Return one reason with its points: "serial number AB12 (+90)"."""
    code, value = text_at(reason, "code") or "?", text_at(reason, "value") or ""
    if code in ("kind", "kind_other"):
        value = word("thing", value)
    told = _(REASONS[code]).format(value=value) if code in REASONS else f"{code} {value}"
    points = number_at(reason, "points")
    return f"{told} ({points:+d})" if points else told


def _evidence(value: object, zone: tzinfo) -> str | None:
    return "; ".join(reason_of(reason) for reason in records_of(value)) or None


evidence = Kind(_evidence)


def heading_of(app: App, item: Record, number: int, total: int) -> str:
    """Return a machine in one line: its place in the walk, name, make, serial, unit, last heard."""
    heard = MOMENT.render(dig(item, "machine.last_received_at"), app.zone)
    parts = (
        text_at(item, "machine.hostname") or text_at(item, "machine.id"),
        text_at(item, "machine.system"),
        text_at(item, "machine.serial"),
        text_at(item, "machine.unit.name"),
        heard,
    )
    place = f"{figures.count(number)}/{figures.count(total)}"
    return f"{place}  " + " · ".join(part for part in parts if part)


def lines_of(item: Record) -> list[str]:
    """Return two lines a candidate: the asset with its confidence, and why."""
    lines: list[str] = []
    for number, candidate in enumerate(records_of(dig(item, "candidates")), 1):
        code, name = text_at(candidate, "asset.code"), text_at(candidate, "asset.name")
        level = word("confidence", text_at(candidate, "level") or "")
        lines.append(f"  {number}  {code}  {name}  {number_at(candidate, 'confidence')} %  {level}")
        lines.append("       " + " · ".join(map(reason_of, records_of(dig(candidate, "reasons")))))
    return lines or [_("  nothing on the book fits")]
