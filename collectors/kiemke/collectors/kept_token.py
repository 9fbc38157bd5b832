"""A token that the installer leaves: the service enrols by it as soon as the server answers."""

import logging
from collections.abc import Callable
from pathlib import Path

from kiemke.collectors.errors import ConfigError, NotEnrolledError
from kiemke.collectors.files import write_private
from kiemke.collectors.state import REVOKED, enrol_here, load_enrolment
from kiemke.wire.enrolment import EnrolmentError, parse_token

log = logging.getLogger(__name__)

KEPT_FILE = "enrolment-token"
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 300.0
MOST_CHARACTERS = 4096


def read_token_file(path: str) -> str:
    """Return what a file given to the installer holds, "" without one. Raises ConfigError."""
    if not path:
        return ""
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            return file.read(MOST_CHARACTERS)
    except (OSError, ValueError) as err:
        raise ConfigError(f"{path}: not readable ({err}); give the token's file or none") from err


def keep_token(state: Path, text: str) -> None:
    """Keep a token for the service; "" keeps none. Raises ConfigError when it is no token."""
    if not text.strip():
        return
    try:
        parse_token(text)
        write_private(state / KEPT_FILE, text.strip())
    except EnrolmentError as err:
        raise ConfigError(str(err)) from err
    except OSError as err:
        raise ConfigError(f"{state}: cannot be written ({err.strerror})") from err


def enrol_by_kept_token(state: Path, wait: Callable[[float], bool]) -> None:
    """Enrol by the token that is kept, if any; ``wait`` tells whether to end. It is deleted then.

    As long as the server is away or refuses, it is asked again; a person may enrol in the meantime.
    """
    path = state / KEPT_FILE
    pause = FIRST_WAIT_SECONDS
    while path.exists():
        try:
            if not _is_enrolled(state):
                enrolled = enrol_here(state, parse_token(path.read_text("utf-8")))
                log.info("enrolled", extra={"source": enrolled.source})
            path.unlink()
            return
        except (ConfigError, EnrolmentError, OSError) as err:
            log.warning("not enrolled yet", extra={"reason": str(err), "again_in_seconds": pause})
        if wait(pause):
            return
        pause = min(2 * pause, LONGEST_WAIT_SECONDS)


def _is_enrolled(state: Path) -> bool:
    try:
        known = load_enrolment(state)
    except NotEnrolledError:
        return False
    return known.source is not None and known.server_state != REVOKED
