"""Who was last at this machine. Source: Windows' LogonUI key; wtmp (utmp(5))."""

from kiemke.agent.host import Host
from kiemke.agent.sensors import seat
from kiemke.wire.inventory import LastUser, Row

NAME = "last_user"
SECTIONS = ("last_user",)
SOURCE = "wtmp; Windows: the LogonUI key"
RIGHTS = "any account"
LOGINS = "var/log/wtmp"
TAIL_BYTES = 1 << 20  # the last few thousand logins


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one LastUser; absent where the system keeps no record of logins."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import security

        found = security.last_user(host.windows)
        return {} if found is None else {"last_user": (found,)}
    # The record of logins has the form the running ones have.
    from kiemke.agent.sensors.vital_linux import login_record, parse_logins

    record = login_record()
    try:
        with host.path(LOGINS).open("rb") as file:
            size = file.seek(0, 2)
            whole = size - size % record.size
            file.seek(max(0, whole - TAIL_BYTES // record.size * record.size))
            data = file.read(TAIL_BYTES)
    except FileNotFoundError:
        return {}
    logins = parse_logins(data, record)
    seats = [one for one in logins if seat.is_console(one.terminal, one.remote) is not False]
    return {"last_user": (LastUser((seats or logins)[-1].user),)} if logins else {}
