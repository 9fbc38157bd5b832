"""People and their equipment: own figures, which may be summed, and those of whole subtrees."""

from fractions import Fraction

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, make_block, number

KINDS = ("can_bo", "cong_chuc", "vien_chuc", "hop_dong")
STATES = (
    "no_pc", "verified", "counted", "contradicted", "silent", "unmatched", "excluded", "shared_access",
)  # fmt: skip

NAME = "officials"
ROWS_AGE = False
FAMILIES: tuple[Family, ...] = (
    Family(
        "kiemke_officials", "gauge", "Officials whose primary post is in the unit itself, by kind."
    ),
    Family(
        "kiemke_officials_by_state",
        "gauge",
        "Officials of the unit itself by the state of their equipment.",
    ),
    Family(
        "kiemke_subtree_officials",
        "gauge",
        "Officials of the unit and all below it, of the kinds its target names.",
    ),
    Family(
        "kiemke_subtree_officials_by_state",
        "gauge",
        "Officials of the unit and all below it by the state of their equipment.",
    ),
    Family(
        "kiemke_subtree_equipment_coverage_ratio",
        "gauge",
        "Share of the subtree's officials with a PC on the book (declared) or seen (verified).",
    ),
    Family(
        "kiemke_subtree_computers_per_official_ratio",
        "gauge",
        "PCs booked in the subtree per official; may exceed 1.",
    ),
    Family(
        "kiemke_equipment_coverage_target_ratio",
        "gauge",
        "Share of officials with a PC that the unit's subtree must reach.",
    ),
    Family(
        "kiemke_evidence_age_working_days",
        "gauge",
        "Working days since the newest trusted sign of a verified PC in the subtree.",
    ),
)
CHANGED = "SELECT * FROM coverage_now WHERE changed_at_ms >= :since"


def subject(row: Row) -> object:
    """Return the unit."""
    return row["unit_id"]


def row_key(row: Row) -> object:
    """Return the population."""
    return row["kinds"]


def freshness(row: Row, context: Context) -> object:
    """Nothing here goes stale: a recount that stops shows in its job's metrics."""
    return None


def render(rows: list[Row], context: Context) -> Block | None:
    """Return the unit's figures: its own people of all kinds, its subtree's of the target's kinds."""
    everyone = next((row for row in rows if row["kinds"] == ""), None)
    if everyone is None:
        return None
    ordered = sorted(rows, key=lambda row: str(row["kinds"]))
    aimed = next((row for row in ordered if row["target_thousandths"] is not None), everyone)
    rated = next((row for row in ordered if row["ratio_target_thousandths"] is not None), everyone)
    unit = everyone["unit_id"]
    texts = (
        "".join(
            f'kiemke_officials{{unit="{unit}",kind="{kind}"}} {everyone[f"own_{kind}"]}\n'
            for kind in KINDS
        ),
        "".join(
            f'kiemke_officials_by_state{{unit="{unit}",state="{state}"}} {everyone[f"own_{state}"]}\n'
            for state in STATES
        ),
        f'kiemke_subtree_officials{{unit="{unit}"}} {aimed["officials"]}\n',
        "".join(
            f'kiemke_subtree_officials_by_state{{unit="{unit}",state="{state}"}} {aimed[state]}\n'
            for state in STATES
        ),
        _ratios(unit, aimed),
        _per_official(unit, rated),
        _target(unit, aimed),
        _age(unit, everyone),
    )
    return make_block(unit, texts)


def _ratios(unit: int, row: Row) -> str:
    persons = row["officials"]
    if not persons:
        return ""
    name = "kiemke_subtree_equipment_coverage_ratio"
    declared = number(Fraction(persons - row["no_pc"], persons))
    verified = number(Fraction(row["verified"], persons))
    return (
        f'{name}{{unit="{unit}",basis="declared"}} {declared}\n'
        f'{name}{{unit="{unit}",basis="verified"}} {verified}\n'
    )


def _per_official(unit: int, row: Row) -> str:
    if not row["officials"]:
        return ""
    ratio = number(Fraction(row["pcs"], row["officials"]))
    return f'kiemke_subtree_computers_per_official_ratio{{unit="{unit}"}} {ratio}\n'


def _target(unit: int, row: Row) -> str:
    if row["target_thousandths"] is None:
        return ""
    ratio = number(Fraction(row["target_thousandths"], 1000))
    return f'kiemke_equipment_coverage_target_ratio{{unit="{unit}"}} {ratio}\n'


def _age(unit: int, row: Row) -> str:
    days = row["evidence_age_working_days"]
    return "" if days is None else f'kiemke_evidence_age_working_days{{unit="{unit}"}} {days}\n'
