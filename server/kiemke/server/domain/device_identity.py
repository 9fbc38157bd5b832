"""Whether two readings of a watched device are of one thing: serial, burned-in MACs, kind; pure functions.

An address says where a device is polled, never which it is: a switch is moved, renumbered, or replaced
under its old address.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kiemke.server.domain.bogus import sane_mac, sane_serial

SAME, OTHER, UNSURE = "same", "other", "unsure"
# Addresses that routers of one group share: VRRP (RFC 9568), HSRP 1 and 2, GLBP. No device's own.
_SHARED = ("00005E0001", "00005E0002", "00000C07AC", "00000C9FF", "0007B400")
# Enough to know a switch of 48 ports by.
MOST_MACS = 40
_ENTERPRISE = "1.3.6.1.4.1."


@dataclass(frozen=True, slots=True)
class Shown:
    """What a device says it is. ``serial`` and ``macs`` are sane keys; None and none where untold."""

    object_id: str | None = None
    serial: str | None = None
    macs: frozenset[str] = frozenset()
    vendor: str | None = None
    model: str | None = None

    def merged(self, newer: "Shown") -> "Shown":
        """Return the facts of both, the newer winning; what it leaves out stays."""
        return Shown(
            newer.object_id or self.object_id,
            newer.serial or self.serial,
            newer.macs or self.macs,
            newer.vendor or self.vendor,
            newer.model or self.model,
        )


def read_serial(text: str | None) -> str | None:
    """Return a device's serial as a key, None for what stands for none."""
    return sane_serial(text)


def read_macs(texts: Iterable[str | None]) -> frozenset[str]:
    """Return the burned-in MACs of a device's ports: the lowest MOST_MACS of them."""
    keys = {key for text in texts if (key := sane_mac(text)) and not key.startswith(_SHARED)}
    return frozenset(sorted(keys)[:MOST_MACS])


def _maker(object_id: str | None) -> str | None:
    """Return the enterprise number of a sysObjectID, None where it has none."""
    text = (object_id or "").lstrip(".")
    return text[len(_ENTERPRISE) :].partition(".")[0] if text.startswith(_ENTERPRISE) else None


def compare(before: Shown, now: Shown) -> str:
    """Return SAME, OTHER or UNSURE: whether a person has to say."""
    makers = {maker for each in (before, now) if (maker := _maker(each.object_id))}
    shared = before.macs & now.macs
    both_macs = bool(before.macs and now.macs)
    if before.serial and now.serial:
        if before.serial == now.serial:
            # Makers number by themselves: "1234" of two of them is two things.
            return SAME if len(makers) < 2 or shared else OTHER if both_macs else UNSURE
        # A stack whose other switch took over shows another serial and keeps its addresses.
        return UNSURE if shared or not both_macs else OTHER
    if both_macs:
        if not shared:
            return OTHER
        enough = 2 * len(shared) >= min(len(before.macs), len(now.macs))
        return SAME if enough and len(makers) < 2 else UNSURE
    return SAME if len(makers) < 2 else UNSURE


def is_proof(one: Shown, other: Shown) -> bool:
    """Whether something that only one thing has was read of both."""
    return bool(one.serial and one.serial == other.serial) or bool(one.macs & other.macs)
