"""Addresses that may be polled: one host's, never a group's or nobody's."""

from ipaddress import ip_address

from kiemke.server.errors import Both, Problem


def check_address(text: str) -> str:
    """Return an IP address in its usual form. Raises Problem 400 for what is no single host's."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        address = None
    if address is None or address.is_multicast or address.is_unspecified or address == _BROADCAST:
        wanted = Both("địa chỉ IP của một thiết bị", "the IP address of one device")
        raise Problem("bad_field", field="address", value=text[:60], wanted=wanted)
    return str(address)


_BROADCAST = ip_address("255.255.255.255")
