"""The words of the office for the server's codes, by vocabulary; an unknown code is shown as it is."""

from kiemke.cli.i18n import N_, _

VOCABULARIES: dict[str, dict[str, str]] = {
    "unit_type": {
        "tinh": N_("province"),
        "thanh_pho": N_("city"),
        "huyen": N_("district"),
        "quan": N_("urban district"),
        "thi_xa": N_("town"),
        "xa": N_("commune"),
        "phuong": N_("ward"),
        "thi_tran": N_("township"),
        "dac_khu": N_("special zone"),
        "phong": N_("department"),
        "don_vi_su_nghiep": N_("public service unit"),
        "cum": N_("cluster"),
        "khac": N_("other"),
    },
    "place_kind": {
        "one_stop_desk": N_("one-stop desk"),
        "office_room": N_("office room"),
        "meeting_room": N_("meeting room"),
        "server_room": N_("server room"),
        "store": N_("store"),
        "reception": N_("reception"),
        "other": N_("other"),
    },
    "holding": {
        "official": N_("official"),
        "place": N_("place"),
        "asset": N_("asset"),
        "link": N_("line"),
        "link_share": N_("share of a line"),
        "device": N_("device"),
        "source": N_("agent or collector"),
        "user": N_("user"),
        "enrolment_token": N_("enrolment token"),
    },
    "succession": {
        "merge": N_("merged"),
        "split": N_("split"),
        "assign": N_("assigned"),
    },
    "official_kind": {
        "can_bo": N_("elected official"),
        "cong_chuc": N_("civil servant"),
        "vien_chuc": N_("public employee"),
        "hop_dong": N_("contract staff"),
        "all": N_("everybody"),
    },
    "thing": {
        "desktop": N_("desktop PC"),
        "all_in_one": N_("all-in-one PC"),
        "laptop": N_("laptop"),
        "tablet": N_("tablet"),
        "server": N_("server"),
        "printer": N_("printer"),
        "copier": N_("copier"),
        "scanner": N_("scanner"),
        "multifunction": N_("multifunction printer"),
        "shredder": N_("shredder"),
        "kiosk": N_("kiosk"),
        "citizen_pc": N_("citizens' PC"),
        "meeting_pc": N_("meeting-room PC"),
        "camera": N_("camera"),
        "ups": N_("UPS"),
        "switch": N_("switch"),
        "router": N_("router"),
        "firewall": N_("firewall"),
        "access_point": N_("access point"),
        "modem": N_("modem"),
        "video_conference": N_("video conference set"),
        "nas": N_("network storage"),
        "monitor": N_("monitor"),
        "other": N_("other"),
    },
    "status": {
        "in_stock": N_("in stock"),
        "in_use": N_("in use"),
        "under_repair": N_("under repair"),
        "broken": N_("broken"),
        "awaiting_disposal": N_("awaiting disposal"),
        "disposed": N_("disposed"),
        "lost": N_("lost"),
    },
    "count_result": {"seen": N_("found"), "missing": N_("not found")},
    "change": {"new": N_("new"), "changed": N_("changed"), "same": N_("as it was")},
    "indicator_measure": {
        "percent": N_("percentage"),
        "count": N_("number"),
        "dong": N_("đồng"),
        "score": N_("score"),
        "rank": N_("rank"),
    },
    "reached": {"yes": N_("reached"), "no": N_("not reached")},
    "norm_item": {
        "pc": N_("PC"),
        "desktop": N_("desktop PC"),
        "laptop": N_("laptop or tablet"),
        "printer": N_("printer"),
        "scanner": N_("scanner"),
        "shredder": N_("shredder"),
        "copier": N_("copier"),
    },
    "norm_finding": {
        "lack": N_("less than allowed"),
        "over": N_("more than allowed"),
        "over_price": N_("dearer than allowed"),
        "unknown_post": N_("post in no group"),
    },
    "norm_decider": {
        "head": N_("the head may decide"),
        "province": N_("the province may decide"),
        "beyond": N_("beyond every limit"),
    },
    "asset_class": {"fixed_asset": N_("fixed asset"), "tool": N_("tool")},
    "wear_note": {
        "tool": N_("a tool: does not wear"),
        "no_price": N_("no price on the book"),
        "no_date": N_("no day of first use on the book"),
        "not_begun": N_("not yet begun"),
        "worn": N_("fully worn"),
        "stopped": N_("broken: stands still"),
        "last": N_("last year"),
    },
    "ownership": {
        "owned": N_("owned"),
        "borrowed": N_("borrowed"),
        "provider": N_("the provider's"),
        "unproven": N_("a draft, no paper yet"),
    },
    "decided_by": {
        "person": N_("a person"),
        "draft": N_("booked as a draft"),
        "serial": N_("serial number"),
        "mac": N_("MAC address"),
        "tag": N_("firmware asset tag"),
    },
    "confidence": {
        "sure": N_("nearly certain"),
        "likely": N_("likely"),
        "possible": N_("possible"),
    },
    "no_agent": {
        "secret": N_("secret documents"),
        "police_network": N_("police network"),
        "party_network": N_("party network"),
        "off_network": N_("off the network"),
        "unsupported_os": N_("operating system too old"),
    },
    "link_kind": {
        "internet": N_("Internet"),
        "tslcd": N_("state data network"),
        "leased": N_("leased line"),
        "police": N_("police line"),
    },
    "link_state": {"up": N_("up"), "down": N_("down"), "unknown": N_("unknown")},
    "verdict": {
        "healthy": N_("healthy"),
        "degraded": N_("degraded"),
        "down": N_("down"),
        "unknown": N_("unknown"),
    },
    "basis": {
        "counters": N_("device counters"),
        "igd": N_("the router's own report"),
        "pcs_lower_bound": N_("the PCs' sum (at least)"),
        "probes_only": N_("probes only"),
    },
    "source_kind": {"agent": N_("agent"), "collector": N_("collector")},
    "source_state": {
        "pending": N_("pending"),
        "approved": N_("approved"),
        "quarantined": N_("quarantined"),
        "revoked": N_("revoked"),
    },
    "coverage_state": {
        "no_pc": N_("no PC"),
        "verified": N_("verified"),
        "counted": N_("counted"),
        "contradicted": N_("contradicted"),
        "silent": N_("silent"),
        "unmatched": N_("unmatched"),
        "excluded": N_("excluded"),
    },
    "outcome": {
        "ok": N_("ok"),
        "timeout": N_("no answer"),
        "auth": N_("credential refused"),
        "unreachable": N_("unreachable"),
        "error": N_("error"),
    },
    "role": {
        "admin": N_("administrator"),
        "it": N_("IT staff"),
        "auditor": N_("auditor"),
        "viewer": N_("viewer"),
        "none": N_("grants alone"),
    },
    "approval_state": {
        "waiting": N_("waiting for a second person"),
        "approved": N_("approved"),
        "refused": N_("refused"),
        "withdrawn": N_("withdrawn"),
    },
    "token_kind": {
        "session": N_("session"),
        "api": N_("program"),
        "scrape": N_("Prometheus scrape"),
    },
}

# What a colour says besides the word; the word alone is always enough.
STYLES = {
    "verified": "green", "counted": "green", "healthy": "green", "up": "green", "approved": "green",
    "ok": "green", "silent": "yellow", "unmatched": "yellow", "degraded": "yellow",
    "pending": "yellow", "no_pc": "red", "contradicted": "red", "down": "red",
    "quarantined": "red", "lost": "red",
}  # fmt: skip


def word(vocabulary: str, code: str) -> str:
    """Return the word for a code in the language spoken, the code itself when it is unknown."""
    msgid = VOCABULARIES[vocabulary].get(code)
    return code if msgid is None else _(msgid)


def codes(vocabulary: str) -> tuple[str, ...]:
    """Return the codes of a vocabulary, in order."""
    return tuple(VOCABULARIES[vocabulary])
