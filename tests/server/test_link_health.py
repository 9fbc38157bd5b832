"""The verdict on a line: each rule by figures one can check by hand, and the windows on a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from kiemke.server.daypack import SLOTS, LinkSlots
from kiemke.server.db import Database
from kiemke.server.domain import links_now
from kiemke.server.domain.links import (
    Contract,
    Live,
    Seen,
    add_availability,
    add_day,
    delivered,
    judge,
    percentile_95,
)
from kiemke.server.domain.rules import shipped
from tests.support.office import MOMENT_MS, OFFSET_SECONDS, Office

LAW = shipped()
HUNDRED = 100_000_000
SOLD = Contract("internet", HUNDRED, HUNDRED)
LIVE = Live("up", True, 1_000_000_000, "full")


def octets(rate: float) -> int:
    """Return the octets of one slot at a rate in bits per second."""
    return round(rate * 300 / 8)


def make_day(
    rate: float = 5e6, *, up: bool = True, rtt_us: int = 12_000, lost: int = 0
) -> LinkSlots:
    """Return a day of one steady state, five probes a slot."""
    day = LinkSlots()
    for slot in range(SLOTS):
        day.add_state(slot, up=up)
        if up:
            day.add_traffic(slot, octets(rate), octets(rate / 10), 300)
            day.add_echo(slot, 5, 5 - lost, rtt_us, 1_000)
        else:
            day.add_echo(slot, 5, 0, None, None)
    return day


def see(*days: LinkSlots) -> Seen:
    """Return what whole days hold."""
    seen = Seen()
    for day in days:
        add_day(seen, [day], 0, SLOTS)
        add_availability(seen, [day], 0, SLOTS)
    return seen


def codes(seen: Seen, live: Live = LIVE, contract: Contract = SOLD) -> tuple[str, list[str]]:
    """Return the verdict and its reasons' codes."""
    health = judge(contract, live, seen, LAW)
    return health.verdict, [f"{reason.code}/{reason.level}" for reason in health.reasons]


def test_a_quiet_line_is_healthy_and_its_capacity_unknown() -> None:
    health = judge(SOLD, LIVE, see(make_day()), LAW)

    assert (health.verdict, health.reasons, health.basis) == ("healthy", (), "counters")
    assert health.p95_ratio == {"receive": 0.05, "transmit": 0.005}
    assert health.delivered_ratio == {"receive": None, "transmit": None}
    assert (health.availability_ratio, health.loss_ratio) == (1.0, 0.0)
    assert health.round_trip_seconds == pytest.approx(0.012)


@pytest.mark.parametrize(("values", "p95"), [(range(1, 101), 95), (range(1, 21), 19), ([7], 7)])
def test_the_95th_percentile_is_the_nearest_rank(values: range, p95: float) -> None:
    assert percentile_95(list(values)) == p95


def test_a_percentile_of_nothing_is_none() -> None:
    assert percentile_95([]) is None


@pytest.mark.parametrize(
    ("rate", "verdict", "reasons"),
    [
        (79e6, "healthy", []),
        (85e6, "healthy", ["utilization_receive/warn"]),
        (93e6, "degraded", ["utilization_receive/fail"]),
    ],
)
def test_a_full_line_warns_and_then_fails(rate: float, verdict: str, reasons: list[str]) -> None:
    assert codes(see(make_day(rate))) == (verdict, reasons)


def test_too_few_samples_judge_no_utilization() -> None:
    day = make_day(93e6)
    empty = LinkSlots()

    assert codes(see(day, empty, empty))[1] == []


def test_four_hours_of_outage_in_thirty_days_fail() -> None:
    """48 of 8,640 slots: 99.44 % < 99.5 %."""
    outage = make_day()
    for slot in range(48):
        outage.up_polls[slot], outage.down_polls[slot] = 0, 1
    seen = see(*[make_day()] * 29, outage)

    health = judge(SOLD, LIVE, seen, LAW)

    assert health.availability_ratio == pytest.approx(1 - 48 / 8640)
    assert [reason.code for reason in health.reasons] == ["availability"]


def test_unknown_time_is_not_downtime() -> None:
    seen = see(make_day(), LinkSlots())

    health = judge(SOLD, LIVE, seen, LAW)

    assert (health.availability_ratio, health.availability_coverage_ratio) == (1.0, 0.5)


def test_a_ceiling_below_the_contract_is_what_the_line_gives() -> None:
    busy = make_day()
    for slot in range(20):
        busy.in_octets[slot] = octets(60e6)

    verdict, reasons = codes(see(busy))

    assert (verdict, reasons) == ("degraded", ["delivered_receive/fail"])


@pytest.mark.parametrize(
    ("rates", "ratio"),
    [
        ([60e6] * 11 + [1e6] * 100, None),
        ([60e6] * 12 + [1e6] * 100, 0.6),
        ([5e6] * 200, None),
        ([85e6], 0.85),
        ([], None),
    ],
)
def test_only_a_peak_met_often_shows_a_ceiling(rates: list[float], ratio: float | None) -> None:
    assert delivered(rates, HUNDRED, LAW, "") == ratio


def test_a_port_slower_than_the_contract_and_half_duplex_are_reasons() -> None:
    live = Live("up", True, 10_000_000, "half")

    assert codes(see(make_day()), live) == ("degraded", ["negotiated/fail", "half_duplex/fail"])


def test_loss_and_delay_beyond_their_limits_are_reasons() -> None:
    assert codes(see(make_day(rtt_us=60_000, lost=1))) == (
        "degraded",
        ["loss/fail", "round_trip/fail"],
    )


def test_probes_lost_in_an_outage_are_the_outages_alone() -> None:
    health = judge(SOLD, LIVE, see(make_day(), make_day(up=False)), LAW)

    assert health.loss_ratio == 0.0


@pytest.mark.parametrize(
    ("live", "verdict"),
    [
        (Live("down", True, None, None), "down"),
        (Live("up", False, None, None), "unknown"),
        (Live("down", False, None, None), "unknown"),
        (Live("unknown", True, None, None), "unknown"),
    ],
)
def test_without_fresh_evidence_nothing_is_up_or_down(live: Live, verdict: str) -> None:
    assert codes(see(make_day()), live)[0] == verdict


def test_a_police_line_is_recorded_and_never_judged() -> None:
    contract = Contract("police", HUNDRED, HUNDRED)

    assert codes(Seen(), LIVE, contract) == ("unknown", ["recorded_only/warn"])


def test_two_observers_are_merged_slot_by_slot_and_never_summed() -> None:
    first, second = make_day(10e6), make_day(30e6)
    first.seconds[5] = 0xFFFF
    seen = Seen()

    add_day(seen, [first, second], 4, 7)

    assert seen.rates["receive"] == [10e6, 30e6, 10e6]
    assert seen.window_slots == 3


async def _add_line(database: Database) -> tuple[Office, int]:
    office = Office()
    office.add_installation()
    unit = office.add_unit()
    collector = office.add_source(unit, kind="collector")
    link = office.add("link", code="L1", created_at_ms=0)
    office.add_dated(
        "link_version", link_id=link, unit_id=unit, device_id=None, interface_name=None, name="L",
        kind="internet", provider=None, contract_number=None, price_dong=None, payer=None,
        down_bits_per_second=HUNDRED, up_bits_per_second=HUNDRED,
    )  # fmt: skip
    local = datetime.fromtimestamp(MOMENT_MS / 1000 + OFFSET_SECONDS, UTC).date()
    for back in range(31):
        day = make_day(93e6 if back <= 7 else 1e6)
        if back == 20:
            for slot in range(48):
                day.up_polls[slot], day.down_polls[slot] = 0, 1
        _add_link_day(office, link, collector, local - timedelta(days=back), day)
    office.waiting["link_now"].append(
        {
            "link_id": link, "state": "up", "state_at_ms": MOMENT_MS - 30_000,
            "receive_octets_total": "5", "transmit_octets_total": "6", "verdict": "unknown",
            "reasons_json": "[]", "changed_at_ms": MOMENT_MS - 30_000,
        }
    )  # fmt: skip
    await office.write_to(database)
    return office, link


def _add_link_day(office: Office, link: int, source: int, day: date, slots: LinkSlots) -> None:
    up = sum(1 for polls in slots.up_polls if polls)
    office.add(
        "link_day", link_id=link, source_id=source, day=day, packed=slots.pack(compress=True),
        known_seconds=86_400, up_seconds=300 * up, receive_octets="0", transmit_octets="0",
        receive_gap_octets="0", transmit_gap_octets="0", changed_at_ms=0,
    )  # fmt: skip


async def test_the_job_judges_seven_days_of_traffic_and_thirty_of_state(
    database: Database,
) -> None:
    _, link = await _add_line(database)

    changed = await links_now.refresh_now(database, MOMENT_MS, 60.0)
    (row,) = await database.read("SELECT * FROM link_now")
    again = await links_now.refresh_now(database, MOMENT_MS + 1000, 60.0)

    assert (changed, again) == (1, 0)
    assert (row["verdict"], row["basis"]) == ("degraded", "counters")
    assert row["p95_receive_ppm"] == 930_000
    assert row["sample_coverage_ppm"] == 1_000_000
    assert row["availability_ppm"] == 994_444
    assert row["receive_octets_total"] == "5"


async def test_a_line_whose_reports_stop_becomes_unknown_without_any_report(
    database: Database,
) -> None:
    await _add_line(database)
    await links_now.refresh_now(database, MOMENT_MS, 60.0)

    await links_now.refresh_now(database, MOMENT_MS + 240_000, 60.0)
    (row,) = await database.read("SELECT verdict FROM link_now")

    assert row["verdict"] == "unknown"


async def test_one_line_can_be_explained(database: Database) -> None:
    _, link = await _add_line(database)

    async with database.reading() as session:
        health = await links_now.explain(session, link, MOMENT_MS, 60.0)
        nothing = await links_now.explain(session, link + 1, MOMENT_MS, 60.0)

    assert nothing is None
    assert health is not None
    assert [(r.code, r.level) for r in health.reasons] == [
        ("utilization_receive", "fail"),
        ("availability", "fail"),
    ]
