"""What a collector does that its server has revoked: it keeps nothing that could open a device.

It ends, comes back by a new token alone, and says so: the mark stands in its enrolment.
"""

import gc
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

from kiemke.collectors.assignment import FILE_NAME as ASSIGNMENT_FILE
from kiemke.collectors.credentials import FILE_NAME as CREDENTIALS_FILE
from kiemke.collectors.errors import ConfigError
from kiemke.collectors.server_secrets import FILE_NAME as SECRETS_FILE
from kiemke.collectors.state import REVOKED, load_enrolment, save_enrolment

log = logging.getLogger(__name__)

# The last one tells no secret, but which addresses to ask.
WIPED = (SECRETS_FILE, CREDENTIALS_FILE, ASSIGNMENT_FILE)


def shut_out(state: Path) -> None:
    """Delete every credential and the assignment, also those half written, and mark the enrolment.

    What cannot be is told in the log: nothing is asked with it all the same, and the server is asked first
    at the next start.
    """
    for name in WIPED:
        for file in (state / name, state / f"{name}.new"):
            try:
                file.unlink(missing_ok=True)
            except OSError as err:
                log.error("not deleted", extra={"file": str(file), "reason": err.strerror})
    try:
        save_enrolment(state, replace(load_enrolment(state), server_state=REVOKED))
    except (ConfigError, OSError) as err:
        log.error("enrolment not marked", extra={"reason": str(err)})


def is_shut_out(state: Path) -> bool:
    """Tell whether the mark stands in the enrolment."""
    try:
        return load_enrolment(state).server_state == REVOKED
    except ConfigError:
        return False


def begin_anew(state: Path) -> None:
    """Become this program anew, so that what it held is gone with its memory.

    Returns where a process cannot do that (Windows): there nothing refers to a secret any more; and where
    the mark does not stand: it would begin for ever.
    """
    gc.collect()
    if sys.platform != "win32" and is_shut_out(state):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
