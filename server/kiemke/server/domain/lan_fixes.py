"""What would make a silent thing on the network visible at the least effort.

``register``: it speaks SNMP, so a line in the list of devices is enough · ``check_secret``: it speaks SNMP
but not to our secret (or lets only some addresses ask) · ``enable_snmp``: it has a web page or a command
line where SNMP can be switched on · ``printer_snmp``: printers speak SNMP from the factory; somebody
switched it off · ``install_agent``: it looks like a PC · ``find_out``: it answers and shows nothing.
"""

from collections.abc import Collection

FIXES = (
    "register", "check_secret", "enable_snmp", "printer_snmp", "install_agent", "find_out",
)  # fmt: skip
PRINTER_PORTS, PC_PORTS, MANAGED_PORTS = {631, 9100}, {445, 3389}, {22, 23, 80, 443, 8291}


def fix_of(
    open_ports: Collection[int],
    *,
    speaks_snmp: bool,
    is_device: bool,
    is_machine: bool,
    is_polled: bool,
) -> str | None:
    """Return the cheapest fix, None where there is nothing to mend.

    ``is_device`` and ``is_machine``: it is one of ours; ``is_polled``: its polls are answered.
    """
    if is_machine or is_polled:
        return None
    ports = set(open_ports)
    if speaks_snmp:
        return "check_secret" if is_device else "register"
    if ports & PRINTER_PORTS:
        return "printer_snmp"
    if ports & PC_PORTS and not is_device:
        return "install_agent"
    return "enable_snmp" if ports & MANAGED_PORTS else "find_out"
