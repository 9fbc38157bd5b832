"""Which tables are ledgers: each change of a row of theirs stands in the audit log, with the row's hash.

Every other table is named in NOT_LEDGERS with the reason; a house test finds the one that was forgotten.
"""

import re
from functools import lru_cache

LEDGER_TABLES = (
    "unit", "unit_version", "unit_succession", "place", "place_version",
    "official", "official_version", "membership", "absence", "coverage_target",
    "asset", "asset_status", "custody", "counted_asset", "asset_fact",
    "stock_take", "stock_take_version", "stock_take_surplus", "stock_take_line",
    "indicator", "indicator_figure",
    "device", "device_version", "link", "link_version", "link_share", "probe_target", "site_subnet",
    "rule", "holiday",
    "app_user", "user_grant", "access_token", "approval",
)  # fmt: skip

OBSERVED = "what agents and collectors saw, or what a job concludes from it"
NOT_LEDGERS = {
    **dict.fromkeys(
        (
            "source_now", "source_stream", "source_boot", "source_section", "software_title",
            "source_software", "source_event", "rejected_report", "machine", "machine_source",
            "asset_match", "device_match", "match_refusal", "hardware_seen", "hardware_change",
            "finding", "device_now", "device_reading_now", "device_event", "device_ssh", "device_config",
            "interface_now", "link_now", "link_day", "presence_day",
            "coverage_now", "unit_figure_now", "shared_adapter", "source_evidence",
            "presence_block", "device_tables_now", "neighbour_stay", "station_stay", "address_stay",
            "lan_host", "sweep_now", "port_change",
            "network_stay", "device_hardware", "pc_traffic_unit", "pc_traffic_day", "link_pcs_day",
        ),
        OBSERVED,
    ),
    "device_host_key": "keys that devices show; each that a person accepts has its entry",
    "one_shot": "what a script saw of a PC on one day; each has its entry",
    "machine_decision": "what somebody decided about observations; each has its entry",
    "source": "changes by itself as it reports; each decision on it has its entry",
    "agent_release": "signed by its maker; publishing, staging and withdrawing have their entries",
    "agent_release_part": "the bytes whose hash is signed",
    "secret": "sealed values must not outlive their removal in a log; each change has its entry",
    "secret_handout": "written as secrets are fetched; never changed, never deleted",
    "enrolment_token": "counts down by itself as sources enrol; each has its entry",
    "handover": "written once with its entry, beside custody; its signatures have theirs",
    "audit_entry": "the log itself",
    "audit_link": "the log itself",
    "audit_touched": "the log itself",
    "audit_about": "made from the log: who did what to which subject",
    "audit_unit": "made from the log: which units an entry concerns",
    "person_key": "keys of the log itself",
    "recovery_code": "hashes of secrets; making and using them has its entry",
    "import_run": "written once with its entry",
    "import_map": "how the columns of a kind of sheet are read; what came of it is in the ledgers",
    "installation": "written once at first start",
    "search_word": "made from the ledgers and what was seen, and made anew at will",
    "search_block": "made from search_word's numbers, and made anew at will",
    "search_due": "what of search_word is to be made anew",
    "lease": "renewed every few seconds",
}  # fmt: skip

# Columns that tell who a person is, by table, after the column that holds the official's id: in the log
# they are encrypted with that person's key.
PERSONAL: dict[str, tuple[str, tuple[str, ...]]] = {
    "official": ("id", ("name", "sort_key", "search_key", "phone", "mailbox", "account")),
    "official_version": (
        "official_id",
        (
            "name", "family_name", "middle_name", "given_name", "phone", "mailbox", "account",
        ),
    ),
}  # fmt: skip

_WRITES = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)


@lru_cache(maxsize=1024)
def writes_ledger(sql: str) -> bool:
    """Return whether a statement writes into a ledger."""
    match = _WRITES.match(sql)
    return match is not None and match[1].lower() in LEDGER_TABLES
