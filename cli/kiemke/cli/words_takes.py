"""The words of stock-takes: what was found, what a line says, why one is held and how it stands."""

from kiemke.cli.i18n import N_

TAKE_WORDS: dict[str, dict[str, str]] = {
    "take_found": {
        "found": N_("found"),
        "elsewhere": N_("elsewhere"),
        "broken": N_("broken"),
        "missing": N_("not found"),
        "surplus": N_("not on the book"),
        "retract": N_("take back"),
    },
    "take_line": {
        "missing": N_("missing"),
        "elsewhere": N_("elsewhere"),
        "broken": N_("broken"),
        "not_expected": N_("surplus: not booked here"),
        "surplus": N_("surplus: not on the book"),
        "unanswered": N_("not answered"),
        "agrees": N_("as the book says"),
    },
    "take_reason": {
        "year_end": N_("end of the year"),
        "merger": N_("merger"),
        "handover": N_("handover"),
        "other": N_("other"),
    },
    "take_state": {
        "open": N_("stock-take open"),
        "closed": N_("closed"),
        "withdrawn": N_("withdrawn"),
    },
    "take_effect": {
        "carried": N_("goes along, its list stays"),
        "recounted": N_("goes along, the receiver's things are counted"),
        "kept": N_("stays as it is"),
        "list_changes": N_("its list follows the new tree"),
    },
    "take_role": {"head": N_("head of the board"), "member": N_("of the board")},
}
