"""What is seen on local networks, in words: findings, kinds of ports, the cheapest next step."""

from kiemke.cli.i18n import N_

LAN_FINDINGS = {
    "duplex_mismatch": N_("duplex differs at the two ends"),
    "slow_uplink": N_("uplink is slow or half duplex"),
    "port_flapping": N_("port goes up and down"),
    "unknown_on_lan": N_("unknown things on the network"),
    "snmp_silent": N_("answers, but not by SNMP"),
}
PORT_ROLES = {
    "access": N_("of its own"),
    "phone": N_("behind a phone"),
    "shared": N_("shared with others"),
}
LAN_FIXES = {
    "register": N_("speaks SNMP: add it to the devices"),
    "check_secret": N_("speaks SNMP: its secret is another"),
    "enable_snmp": N_("switch SNMP on in its settings"),
    "printer_snmp": N_("a printer: switch its SNMP on again"),
    "install_agent": N_("looks like a PC: install the agent"),
    "find_out": N_("find out what it is"),
}
