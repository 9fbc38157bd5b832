"""The enrolment file: a token, and beside it the keys whose releases a PC is to trust.

Its lines: the token, and any number of ``update-key KEY`` (64 hex digits each). It comes by the hand of an
administrator (USB kit, shared folder of a start-up script, installer), never from the server.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from kiemke.agent.files import StateError
from kiemke.agent.terminal import complain
from kiemke.agent.tongue import in_tongue

KEY_WORD = "update-key"
MOST_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class EnrolmentFile:
    """What such a file says; ``token`` is "" where there is none."""

    token: str
    keys: tuple[str, ...] = ()


def read_enrolment_file(name: str) -> EnrolmentFile:
    """Return what a file says, nothing when none was named. Raises StateError."""
    if not name:
        return EnrolmentFile("")
    try:
        with Path(name).open(encoding="utf-8-sig", errors="replace") as file:
            return parse_enrolment(file.read(MOST_CHARACTERS))
    except OSError as err:
        raise StateError(f"{name}: {err.strerror or err}; give the enrolment file") from err


def parse_enrolment(text: str) -> EnrolmentFile:
    """Return what a text says; a token that a mail broke into lines is whole again."""
    token, keys = [], []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == [KEY_WORD]:
            keys += words[1:]
        else:
            token += words
    return EnrolmentFile("".join(token), tuple(keys))


def trust_keys(state: Path, keys: tuple[str, ...]) -> None:
    """Trust keys from now on; on Windows their scheduled task is made too. Raises StateError.

    A task that cannot be made is told and no failure: the PC is installed all the same.
    """
    # Only where a key comes along.
    from kiemke.agent.update.places import Places, default_updater, trust

    if not keys:
        return
    places = Places(state, default_updater())
    for key in keys:
        trust(places.updater, key)
    if sys.platform == "win32":
        # Only Windows has the scheduler.
        from kiemke.agent.commands.update import schedule

        try:
            schedule(places, Path(sys.executable).with_name("python.exe"))
        except StateError as err:
            complain(in_tongue(str(err)))
