"""Who is logged in, and who of them sits at the machine itself."""

import sys
from datetime import UTC, datetime

from kiemke.agent.sensors.vital import VitalsError
from kiemke.wire.inventory import Session

if sys.platform == "linux":
    from kiemke.agent.sensors.vital_linux import read_logins
else:
    from kiemke.agent.sensors.vital_psutil import read_logins


def sessions() -> list[Session]:
    """Return the sessions of the running machine, by user. Raises VitalsError."""
    found = [
        Session(
            user=login.user,
            console=is_console(login.terminal, login.remote),
            started_at=datetime.fromtimestamp(login.started_seconds, UTC).isoformat(
                timespec="seconds"
            ),
        )
        for login in read_logins()
    ]
    return sorted(found, key=lambda one: (one.user, one.started_at or ""))


def is_console(terminal: str | None, remote: str | None) -> bool | None:
    """Tell whether a login is at the seat; None when its terminal does not say.

    A tty or an X display is the seat, a login from an address is not; a bare pts may be either.
    Windows gives no terminal: a session without a client address is the seat.
    """
    if remote and not remote.startswith((":", "tty", "login screen")):
        return False
    if terminal is None or terminal.startswith(("tty", ":", "seat")):
        return True
    if remote and remote.startswith((":", "tty")):
        return True
    return None


def console_user() -> str | None:
    """Return the account at the seat, None when nobody is there or it cannot be told."""
    try:
        for one in sessions():
            if one.console:
                return one.user
    except VitalsError:
        return None
    return None
