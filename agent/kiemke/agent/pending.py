"""A token that waits for its use: left by an installer, used when the service first runs.

So an office without its line installs all the same, and each clone of a master enrols itself.
"""

import os
from pathlib import Path

from kiemke.agent.files import StateError, as_folder_owner, create_private
from kiemke.agent.halt import Halt
from kiemke.agent.journal import warn
from kiemke.agent.state import TOKEN_FILE, AgentIdentity, StateFolder
from kiemke.wire.chance import SystemChance

MOST_TOKEN_CHARACTERS = 4096
FIRST_REST_SECONDS = 15.0
LONGEST_REST_SECONDS = 900.0


def leave_token(folder: Path, text: str) -> None:
    """Write a token into the state folder, for its account alone. Raises StateError."""
    file = folder / TOKEN_FILE
    try:
        with os.fdopen(create_private(file), "w") as out:
            as_folder_owner(out.fileno(), folder)
            out.write("".join(text.split()) + "\n")
    except OSError as err:
        raise StateError(f"{file}: {err.strerror or err}; run this as administrator") from err


def waiting_token(folder: Path) -> str | None:
    """Return the token that waits, None when there is none. Raises StateError."""
    try:
        with (folder / TOKEN_FILE).open(encoding="utf-8", errors="replace") as file:
            return file.read(MOST_TOKEN_CHARACTERS).strip() or None
    except FileNotFoundError:
        return None
    except OSError as err:
        raise StateError(f"{folder / TOKEN_FILE}: {err.strerror or err}") from err


def use_token(folder: StateFolder, identity: AgentIdentity, text: str) -> AgentIdentity:
    """Enrol with ``text``, keep what the server said and take the token away; return the identity.

    Raises EnrolmentError or StateError.
    """
    # Once in an install's life; the running agent does not carry it.
    from kiemke.agent import evidence, frozen
    from kiemke.agent.host import Host
    from kiemke.wire import enrolment

    token = enrolment.parse_token(text)
    is_frozen = frozen.forgets(folder.path)
    if is_frozen:
        identity = frozen.bound(identity, token, evidence.read(Host(folder=folder.path)))
    answer = enrolment.enrol(token, identity.install_id, identity.secret, "agent")
    enrolled = identity.enrolled(token, answer)
    folder.save_identity(enrolled)
    if not is_frozen:  # what is put back at each start is the folder with the token
        (folder.path / TOKEN_FILE).unlink(missing_ok=True)
    return enrolled


def enrol_when_possible(
    folder: StateFolder, identity: AgentIdentity, halt: Halt, *, once: bool = False
) -> AgentIdentity:
    """Return the identity, enrolled with the waiting token as soon as the server answers.

    Returns it as it is when no token waits, or when ``halt`` was rung first. With ``once``, and for
    one that is enrolled already, there is one try.
    """
    # Once in an install's life; the running agent does not carry it.
    from kiemke.wire.enrolment import EnrolmentError

    rest = FIRST_REST_SECONDS
    while (text := waiting_token(folder.path)) is not None:
        try:
            return use_token(folder, identity, text)
        except EnrolmentError as err:
            warn("not enrolled yet", reason=str(err))
            folder.save_status({"outcome": "enrolling", "detail": str(err)})
        if once or identity.source is not None:
            break
        if halt.wait(SystemChance().uniform(rest / 2, rest)):
            break
        rest = min(2 * rest, LONGEST_REST_SECONDS)
    return identity
