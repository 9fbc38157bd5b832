"""One TOML file per platform: the commands that are sent, where its facts stand, what is secret in it."""

PLATFORMS = (
    "aruba_aoscx",
    "cisco_ios",
    "cisco_s300",
    "fortinet",
    "hp_comware",
    "hp_procurve",
    "huawei_vrp",
    "juniper_junos",
    "linux",
    "mikrotik_routeros",
    "ruijie_os",
    "tplink_jetstream",
    "zyxel_os",
)
