"""The words for what the server tells of lines."""

from kiemke.cli.i18n import N_

LINK_WORDS: dict[str, dict[str, str]] = {
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
        "pcs_lower_bound": N_("sum of the PCs, not of the line"),
        "probes_only": N_("probes only"),
    },
    "asked_by": {"snmp": "SNMP", "upnp": "UPnP"},
    "duplex": {"full": N_("full"), "half": N_("half duplex")},
    "link_hint": {
        "probe": N_("give an address to probe: import of lines, column “Probe addresses”"),
        "name_port": N_(
            "name the port that carries the line: import of lines, column “Interface name”"
        ),
        "device_silent": N_("the device does not answer: see kiemke device show"),
        "port_unknown": N_("the device has no port of that name: see kiemke device show"),
        "count_wider": N_("the modem's 32-bit counters say nothing at this speed: poll by SNMP"),
        "ask_modem": N_(
            "SNMP or UPnP in the modem; add it as a device of the line (docs/sites.md)"
        ),
    },
}
