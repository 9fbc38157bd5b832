"""The sessions section: who is logged in on this machine."""

from kiemke.agent.host import Host
from kiemke.agent.sensors import seat
from kiemke.wire.inventory import Row

NAME = "sessions"
SECTIONS = ("sessions",)
SOURCE = "utmp, else logind's session files; Windows: session list"
RIGHTS = "any account"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Session a login; a recording has none."""
    return {"sessions": tuple(seat.sessions())} if host.is_live else {}
