"""The lines: contract, live state, totals that only live intervals advance, and health."""

from fractions import Fraction

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, label, make_block, number, ppm

VERDICTS = ("healthy", "degraded", "down", "unknown")

NAME = "links"
ROWS_AGE = True
FAMILIES: tuple[Family, ...] = (
    Family("kiemke_link_info", "gauge", "A line, its names and its unit; always 1."),
    Family("kiemke_link_up", "gauge", "1 while the line carries, 0 while it does not."),
    Family("kiemke_link_known", "gauge", "1 while the line's state is known from fresh evidence."),
    Family(
        "kiemke_link_contracted_bits_per_second",
        "gauge",
        "Rate the contract sells, bits per second.",
    ),
    Family(
        "kiemke_link_receive_bytes_total",
        "counter",
        "Octets downloaded, by live intervals, in bytes.",
    ),
    Family(
        "kiemke_link_transmit_bytes_total",
        "counter",
        "Octets uploaded, by live intervals, in bytes.",
    ),
    Family("kiemke_link_utilization_ratio", "gauge", "Present rate as a share of the contract's."),
    Family(
        "kiemke_link_pcs_bits_per_second",
        "gauge",
        "Sum of what the PCs behind a line without counters move, LAN included: no figure of the line.",
    ),
    Family(
        "kiemke_link_utilization_p95_ratio",
        "gauge",
        "95th percentile of the 5-minute rates of 7 days as a share of the contract's rate.",
    ),
    Family(
        "kiemke_link_sample_coverage_ratio",
        "gauge",
        "Share of the 5-minute slots of 7 days in which the line's traffic is known.",
    ),
    Family("kiemke_link_packet_loss_ratio", "gauge", "Share of the last probes that were lost."),
    Family(
        "kiemke_link_round_trip_seconds", "gauge", "Mean round trip of the last probes, seconds."
    ),
    Family("kiemke_link_jitter_seconds", "gauge", "Mean change between round trips, seconds."),
    Family(
        "kiemke_link_negotiated_bits_per_second",
        "gauge",
        "Speed of the line's port, bits per second.",
    ),
    Family(
        "kiemke_link_delivered_ratio",
        "gauge",
        "Highest rate the line was seen to give as a share of the contract's.",
    ),
    Family(
        "kiemke_link_availability_ratio",
        "gauge",
        "Share of the known time of 30 days in which the line was up.",
    ),
    Family(
        "kiemke_link_basis",
        "gauge",
        "1 for what the line's load rests on: counters, igd, pcs_lower_bound, probes_only, nothing.",
    ),
    Family("kiemke_link_health", "gauge", "1 for the line's verdict, 0 for the other verdicts."),
    Family("kiemke_link_unit_share_ratio", "gauge", "A unit's fair share of a line it uses."),
)
CHANGED = "SELECT * FROM link_now WHERE changed_at_ms >= :since"


def subject(row: Row) -> object:
    """Return the line."""
    return row["link_id"]


def row_key(row: Row) -> object:
    """Return the line: there is one row."""
    return row["link_id"]


def freshness(row: Row, context: Context) -> object:
    """Return which of the live figures may still be shown."""
    return (
        context.is_fresh(row["state_at_ms"]) and row["state"] != "unknown",
        context.is_fresh(row["rate_at_ms"]),
        context.is_fresh(row["probe_at_ms"]),
    )


def render(rows: list[Row], context: Context) -> Block | None:
    """Return a line's figures; what has no fresh evidence is absent beside kiemke_link_known 0."""
    row = rows[0]
    link = row["link_id"]
    contract = context.links.get(link)
    if contract is None:
        return None
    known = context.is_fresh(row["state_at_ms"]) and row["state"] != "unknown"
    has_rate, has_probe = context.is_fresh(row["rate_at_ms"]), context.is_fresh(row["probe_at_ms"])
    sold = (contract["down_bits_per_second"], contract["up_bits_per_second"])
    live = (row["receive_bits_per_second"], row["transmit_bits_per_second"])
    # A sum of PCs is no figure of the line: it has a name of its own and no share of the contract.
    is_sum = row["basis"] == "pcs_lower_bound"
    totals = (row["receive_octets_total"], row["transmit_octets_total"])
    has_counted = row["basis"] in ("counters", "igd") or totals != ("0", "0")
    counted = row["rate_at_ms"] is not None and not is_sum and has_counted

    def one(name: str, value: str | int | float | None) -> str:
        return "" if value is None else f'kiemke_link_{name}{{link="{link}"}} {value}\n'

    def both(name: str, values: tuple[str | int | None, str | int | None]) -> str:
        return "".join(
            f'kiemke_link_{name}{{link="{link}",direction="{direction}"}} {value}\n'
            for direction, value in zip(("receive", "transmit"), values, strict=True)
            if value is not None
        )

    texts = (
        _info(link, contract),
        one("up", int(row["state"] == "up") if known else None),
        one("known", int(known)),
        both("contracted_bits_per_second", sold),
        one("receive_bytes_total", totals[0] if counted else None),
        one("transmit_bytes_total", totals[1] if counted else None),
        both("utilization_ratio", (_share(live[0], sold[0]), _share(live[1], sold[1])))
        if has_rate and not is_sum
        else "",
        both("pcs_bits_per_second", live) if has_rate and is_sum else "",
        both("utilization_p95_ratio", (ppm(row["p95_receive_ppm"]), ppm(row["p95_transmit_ppm"]))),
        one("sample_coverage_ratio", ppm(row["sample_coverage_ppm"])),
        one("packet_loss_ratio", ppm(row["loss_ppm"]) if has_probe else None),
        one("round_trip_seconds", row["rtt_seconds"] if has_probe else None),
        one("jitter_seconds", row["jitter_seconds"] if has_probe else None),
        one("negotiated_bits_per_second", row["negotiated_bits_per_second"] if has_rate else None),
        both(
            "delivered_ratio",
            (ppm(row["delivered_receive_ppm"]), ppm(row["delivered_transmit_ppm"])),
        ),
        one("availability_ratio", ppm(row["availability_ppm"])),
        f'kiemke_link_basis{{link="{link}",basis="{label(row["basis"] or "nothing")}"}} 1\n',
        "".join(
            f'kiemke_link_health{{link="{link}",state="{state}"}} {int(state == row["verdict"])}\n'
            for state in VERDICTS
        ),
        _shares(link, context.shares.get(link, [])),
    )
    return make_block(contract["unit_id"], texts)


def _info(link: int, contract: Row) -> str:
    names = (
        f'link="{link}",code="{label(contract["code"])}",name="{label(contract["name"])}",'
        f'kind="{label(contract["kind"])}",provider="{label(contract["provider"] or "")}",'
        f'unit="{contract["unit_id"]}"'
    )
    return f"kiemke_link_info{{{names}}} 1\n"


def _share(rate: int | None, contracted: int | None) -> str | None:
    return None if rate is None or not contracted else number(Fraction(rate, contracted))


def _shares(link: int, units: list[int]) -> str:
    if not units:
        return ""
    share = number(Fraction(1, len(units)))
    return "".join(
        f'kiemke_link_unit_share_ratio{{link="{link}",unit="{unit}"}} {share}\n' for unit in units
    )
