"""The platforms that can be visited by SSH, by netmiko's names."""

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
