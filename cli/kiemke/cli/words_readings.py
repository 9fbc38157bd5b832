"""The words for what devices tell of their own state."""

from kiemke.cli.i18n import N_

READINGS = {
    "cpu_ratio": N_("processor load"),
    "memory_used_ratio": N_("memory in use"),
    "temperature_celsius": N_("temperature"),
    "supply_left_ratio": N_("supply left"),
    "printed_pages": N_("pages printed"),
    "printer_printing": N_("printing now"),
    "printer_low_paper": N_("paper low"),
    "printer_no_paper": N_("no paper"),
    "printer_low_toner": N_("toner low"),
    "printer_no_toner": N_("no toner"),
    "printer_door_open": N_("door open"),
    "printer_jammed": N_("paper jam"),
    "printer_offline": N_("printer offline"),
    "printer_service_requested": N_("asks for service"),
    "ups_charge_ratio": N_("battery charge"),
    "ups_on_battery": N_("on battery"),
    "ups_battery_low": N_("battery low"),
    "ups_left_seconds": N_("battery lasts"),
    "ups_load_ratio": N_("UPS load"),
    "poe_capacity_watts": N_("PoE power available"),
    "poe_used_watts": N_("PoE power used"),
}
