"""Addresses that may be polled: one host's, never a group's or nobody's."""

from ipaddress import ip_address

from kiemke.server.domain.sites_words import REMEDY, WHY
from kiemke.server.errors import Both, Problem
from kiemke.wire.reach import Reach


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


def demand_within(reach: Reach, address: str) -> None:
    """Raise Problem 400 for an address that a site's subnets do not allow."""
    reason = reach.why_not(address)
    if reason is not None:
        why = WHY[reason]
        wanted = Both(f"{address}: {why.vi}; {REMEDY.vi}", f"{address}: {why.en}; {REMEDY.en}")
        raise Problem("bad_field", field="address", value=address, wanted=wanted)


_BROADCAST = ip_address("255.255.255.255")
