"""Why a line has the verdict it has: the server's reason codes as words, with value and limit."""

from collections.abc import Mapping
from datetime import tzinfo

from kiemke.cli import figures
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import Kind, latency
from kiemke.cli.records import dig

REASONS: dict[str, str] = {
    "down": N_("no connection"),
    "silent": N_("not heard lately"),
    "recorded_only": N_("recorded only, never probed"),
    "availability": N_("availability too low"),
    "utilization_receive": N_("download nearly full (p95)"),
    "utilization_transmit": N_("upload nearly full (p95)"),
    "delivered_receive": N_("download below the contract"),
    "delivered_transmit": N_("upload below the contract"),
    "negotiated": N_("the port runs slower than the contract"),
    "half_duplex": N_("the port runs at half duplex"),
    "loss": N_("packets are lost"),
    "round_trip": N_("the round trip is long"),
}
_WRITERS = {"negotiated": figures.bits_per_second, "round_trip": latency}


def _reason(reason: object) -> str:
    if not isinstance(reason, Mapping):
        return str(reason)
    code = str(reason.get("code", "?"))
    told = _(REASONS[code]) if code in REASONS else code
    write = _WRITERS.get(code, figures.ratio)
    value, limit = (dig(reason, name) for name in ("value", "limit"))
    if not isinstance(value, int | float) or not isinstance(limit, int | float):
        return told
    bound = _("limit {limit}").format(limit=write(float(limit)))
    return f"{told}: {write(float(value))} ({bound})"


def _reasons(value: object, zone: tzinfo) -> str | None:
    return "; ".join(_reason(item) for item in value) or None if isinstance(value, list) else None


KIND = Kind(_reasons)
