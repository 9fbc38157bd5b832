"""Who is logged in, and who of them sits at the machine itself. Source: psutil.users (utmp, WTS)."""

from datetime import UTC, datetime

import psutil

from kiemke.wire.inventory import Session


def sessions() -> list[Session]:
    """Return the sessions of the running machine, by user."""
    found = [
        Session(
            user=user.name,
            console=is_console(user.terminal, user.host),
            started_at=datetime.fromtimestamp(user.started, UTC).isoformat(timespec="seconds"),
        )
        for user in psutil.users()
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
    except (psutil.Error, OSError, RuntimeError):
        return None
    return None
