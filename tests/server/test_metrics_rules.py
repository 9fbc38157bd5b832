"""The shipped Prometheus rules: promtool takes them, they name real series, they sum nothing twice."""

import re
import subprocess
from pathlib import Path

import pytest

from kiemke.server.metrics.families import METRICS
from tests.support.peers import require_peer

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "dashboards").glob("**/*.rules.yml"))
TEXTS = sorted(
    path for path in (ROOT / "dashboards").rglob("*") if path.suffix in (".yml", ".json")
)

_SUMMED = re.compile(
    r"\b(?:sum|avg|count|stddev|sum_over_time)\b[^()]*(?:\([^()]*\)[^()]*)?\("
    r"[^()]*\bkiemke_(?:subtree_\w+|\w+_ratio)\b"
)


def find_sums(text: str) -> list[str]:
    """Return the places that sum subtree figures or sum or average ratios."""
    return [match[0] for match in _SUMMED.finditer(" ".join(text.split()))]


def test_promtool_takes_the_rules() -> None:
    assert RULES
    checked = subprocess.run(
        [require_peer("promtool"), "check", "rules", *map(str, RULES)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_nothing_sums_subtrees_or_averages_ratios(path: Path) -> None:
    """A subtree holds its units already: its sum counts every person once per level."""
    assert find_sums(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "sum(kiemke_subtree_officials)",
        "sum by (state) (kiemke_subtree_officials_by_state)",
        "avg(kiemke_link_availability_ratio)",
        "avg without (link) (kiemke_link_utilization_ratio{direction='receive'})",
        "sum(\n  kiemke_subtree_equipment_coverage_ratio)",
    ],
)
def test_a_forbidden_sum_is_seen(text: str) -> None:
    assert find_sums(text)


@pytest.mark.parametrize(
    "text",
    ["sum(kiemke_officials_by_state)", "max(kiemke_subtree_officials)", "kiemke_link_up == 0"],
)
def test_an_honest_expression_passes(text: str) -> None:
    assert find_sums(text) == []


def test_every_series_a_rule_names_exists() -> None:
    known = {family.name for group in METRICS for family in group.FAMILIES}
    known |= {"kiemke_job_last_success_timestamp_seconds", "kiemke_fleet_dropped_series"}
    named = {
        name
        for path in RULES
        for line in re.findall(r"expr:((?:.|\n {10,})*)", path.read_text("utf-8"))
        for name in re.findall(r"\bkiemke_\w+", line)
    }

    assert named
    assert named <= known


def test_no_family_stands_twice_and_every_help_is_a_sentence() -> None:
    families = [family for group in METRICS for family in group.FAMILIES]

    assert len({family.name for family in families}) == len(families)
    assert [f.name for f in families if not f.help.endswith(".") or "\n" in f.help] == []
    assert [f.name for f in families if (f.type == "counter") != f.name.endswith("_total")] == []
