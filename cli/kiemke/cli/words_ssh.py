"""Words of visits by SSH: how they end, states of host keys, and what is found by them."""

from kiemke.cli.i18n import N_

OUTCOMES = {
    "host_key": N_("host key changed"),
    "prompt": N_("no prompt"),
    "disconnected": N_("connection closed"),
    "refused": N_("commands refused"),
    "partial": N_("in part"),
}
HOST_KEY_STATES = {
    "pinned": N_("believed"),
    "waiting": N_("waits for a person"),
    "ended": N_("no more"),
}
FINDINGS = {
    "host_key_changed": N_("SSH host key changed"),
    "config_changed": N_("configuration changed"),
    "secret_shared": N_("one secret for several sites"),
    "secret_well_known": N_("a secret that everybody tries"),
    "snmp_may_write": N_("SNMP may write"),
    "ssh_may_configure": N_("SSH account may configure"),
    "device_outside": N_("device outside its site's subnets"),
}
