"""The words of the office for what an inventory holds: its sections and the fields of their rows."""

import re
from datetime import tzinfo

from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import BITS, COUNT, DAY, MOMENT, OCTETS, TEXT, Kind

SECTIONS: dict[str, str] = {
    "identity": N_("Agent"),
    "system": N_("System"),
    "bios": N_("BIOS"),
    "board": N_("Mainboard"),
    "chassis": N_("Chassis"),
    "processors": N_("Processors"),
    "memory": N_("Memory modules"),
    "monitors": N_("Monitors"),
    "os": N_("Operating system"),
    "disks": N_("Disks"),
    "volumes": N_("Volumes"),
    "adapters": N_("Network adapters"),
    "software": N_("Software"),
    "uptime": N_("Uptime"),
    "sessions": N_("Sessions"),
    "last_user": N_("Last user"),
    "printers": N_("Printers"),
    "scanners": N_("Scanners"),
    "usb": N_("USB devices"),
    "smart_cards": N_("Card readers and signature tokens"),
    "cameras": N_("Cameras"),
    "batteries": N_("Batteries"),
    "hotfixes": N_("System updates"),
    "antivirus": N_("Antivirus"),
    "firewall": N_("Firewall"),
    "remote_tools": N_("Remote control tools"),
    "security": N_("Security settings"),
    "time": N_("Time source"),
    "claimed_holder": N_("Said to be used by (at installation)"),
}

FIELDS: dict[str, str] = {
    "address": N_("address"),
    "addresses": N_("addresses"),
    "agent_version": N_("agent version"),
    "architecture": N_("architecture"),
    "asset_tag": N_("asset tag"),
    "boot_id": N_("boot id"),
    "booted_at": N_("booted at"),
    "build": N_("build"),
    "bus": N_("bus"),
    "chemistry": N_("chemistry"),
    "claimed_on": N_("said on"),
    "code": N_("code"),
    "connection": N_("connection"),
    "console": N_("at the machine itself"),
    "cores": N_("cores"),
    "cycles": N_("charge cycles"),
    "description": N_("description"),
    "design_mwh": N_("capacity as made (mWh)"),
    "device": N_("device"),
    "digital": N_("digital"),
    "dns_servers": N_("DNS servers"),
    "domain": N_("domain"),
    "driver": N_("driver"),
    "duplex": N_("duplex"),
    "edition": N_("edition"),
    "encryption": N_("encryption"),
    "family": N_("family"),
    "file_system": N_("file system"),
    "firmware": N_("firmware"),
    "form_factor": N_("form factor"),
    "free_bytes": N_("free"),
    "full_mwh": N_("capacity now (mWh)"),
    "gateways": N_("gateways"),
    "health": N_("health"),
    "height_cm": N_("height (cm)"),
    "holder": N_("holder"),
    "hostname": N_("host name"),
    "id": N_("number"),
    "install_id": N_("install id"),
    "installed_on": N_("installed on"),
    "is_auto_logon": N_("automatic logon"),
    "is_autorun_off": N_("autorun off"),
    "is_current": N_("signatures current"),
    "is_default": N_("default"),
    "is_dhcp": N_("address by DHCP"),
    "is_on": N_("on"),
    "is_present": N_("plugged in"),
    "is_reboot_pending": N_("restart pending"),
    "is_secure_boot": N_("secure boot"),
    "is_service": N_("starts with the machine"),
    "is_shared": N_("shared"),
    "is_synchronised": N_("synchronised"),
    "is_uac_on": N_("user account control on"),
    "is_up": N_("up"),
    "kind": N_("kind"),
    "label": N_("label"),
    "locator": N_("slot"),
    "mac": N_("MAC address"),
    "manufacturer": N_("maker"),
    "max_mhz": N_("most MHz"),
    "model": N_("model"),
    "mount_point": N_("mount point"),
    "mtu_bytes": N_("MTU (bytes)"),
    "name": N_("name"),
    "part_number": N_("part number"),
    "permanent_mac": N_("permanent MAC address"),
    "plain_name": N_("plain name"),
    "plain_publisher": N_("plain publisher"),
    "port": N_("port"),
    "powered_hours": N_("hours powered on"),
    "preferred": N_("preferred mode"),
    "product": N_("product"),
    "product_code": N_("product code"),
    "product_id": N_("product id"),
    "profile": N_("profile"),
    "publisher": N_("publisher"),
    "python_version": N_("Python version"),
    "release_date": N_("release date"),
    "removable": N_("removable"),
    "rotational": N_("rotating"),
    "screen_lock_seconds": N_("screen lock after (seconds)"),
    "serial": N_("serial"),
    "servers": N_("servers"),
    "signatures_at": N_("signatures of"),
    "signatures_version": N_("signatures version"),
    "size_bytes": N_("size"),
    "sku": N_("SKU"),
    "speed_bits_per_second": N_("speed"),
    "speed_mts": N_("speed (MT/s)"),
    "ssid": N_("Wi-Fi network"),
    "started_at": N_("since"),
    "tag": N_("sticker"),
    "threads": N_("threads"),
    "type": N_("type"),
    "user": N_("account"),
    "uuid": N_("UUID"),
    "vendor": N_("vendor"),
    "vendor_id": N_("vendor id"),
    "version": N_("version"),
    "virtualisation": N_("virtualisation"),
    "wear_percent": N_("wear (%)"),
    "week": N_("week"),
    "width_cm": N_("width (cm)"),
    "year": N_("year"),
    "origin": N_("origin"),
}


def section_word(name: str) -> str:
    """Return the section's words; one of a newer agent is shown as it is."""
    return _(SECTIONS[name]) if name in SECTIONS else name


def field_word(name: str) -> str:
    """Return the field's words; one of a newer agent is shown as it is."""
    return _(FIELDS[name]) if name in FIELDS else name


def _release_date(value: object, zone: tzinfo) -> str | None:
    """A BIOS tells its date as mm/dd/yyyy (DSP0134, type 0), which here reads as another day."""
    found = re.fullmatch(r"(0\d|1[0-2])/(\d\d)/(\d{4})", value) if isinstance(value, str) else None
    if found is None:
        return TEXT.render(value, zone)
    return DAY.render(f"{found[3]}-{found[1]}-{found[2]}", zone)


KINDS: dict[str, Kind] = {
    "free_bytes": OCTETS,
    "installed_on": DAY,
    "mtu_bytes": COUNT,
    "release_date": Kind(_release_date),
    "size_bytes": OCTETS,
    "speed_bits_per_second": BITS,
    "claimed_on": DAY,
    "booted_at": MOMENT,
    "signatures_at": MOMENT,
    "started_at": MOMENT,
}


def field_kind(name: str) -> Kind:
    """Return how a field's values are written; plainly where nothing else is known."""
    return KINDS.get(name, TEXT)
