"""What findings are called, by kind."""

from kiemke.cli import words_ssh
from kiemke.cli.i18n import N_
from kiemke.cli.words_lan import LAN_FINDINGS

FINDINGS: dict[str, str] = {
    "elsewhere": N_("seen elsewhere than booked"),
    "hardware": N_("hardware changed"),
    "holder_left": N_("its holder has left"),
    "never_seen": N_("on the book, never seen"),
    "not_booked": N_("seen, not on the book"),
    "other_user": N_("used by another"),
    "overdue": N_("due back and not returned"),
    "cloned_identity": N_("two live sources of one hardware"),
    "ambiguous_serial": N_("one serial number, several assets or machines"),
    "doubtful_machine": N_("doubtful machine"),
    "cloned_install": N_("copied install"),
    "cloned_source": N_("copied install: two PCs speak as one"),
    "copied_disk": N_("disk copied onto another PC"),
    "clock_off": N_("the PC's clock is off"),
    "one_host": N_("many agents on one PC"),
    "ups_on_battery": N_("UPS runs on its battery"),
    "ups_battery_low": N_("UPS battery is low"),
    "supply_empty": N_("printer supply at its end"),
    "device_hot": N_("device too hot"),
    "device_replaced": N_("device was replaced"),
    "device_moved": N_("device was moved"),
    "cloned_device": N_("two devices show one identity"),
    "doubtful_device": N_("doubtful device"),
    "enrolment_conflict": N_("enrolment conflict"),
    **LAN_FINDINGS,
    **words_ssh.FINDINGS,
}
