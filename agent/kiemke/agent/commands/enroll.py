"""`kiemke-agent enroll TOKEN`: makes this machine known to its server."""

import sys
from pathlib import Path

from kiemke.agent.enrolment_file import MOST_CHARACTERS, parse_enrolment, trust_keys
from kiemke.agent.files import NotEnrolledError, StateError
from kiemke.agent.state import SEALED_WORDS, AgentIdentity, StateFolder
from kiemke.agent.terminal import say
from kiemke.wire import enrolment

FROM_STANDARD_INPUT = "-"
NEXT_STEP = {
    "approved": "approved: it counts from its first report on",
    "pending": "waiting for approval: it reports already, and counts once an administrator approves",
}


def run(state: Path, text: str, *, repin: bool = False) -> int:
    """Enrol; asking twice with the same token changes nothing. Return 0.

    ``text`` "-" reads the token, or a whole enrolment file, from standard input. With ``repin`` only the server's root and its
    addresses are taken from the token. Raises EnrolmentError or StateError.
    """
    folder = StateFolder(state)
    folder.prepare()
    keys: tuple[str, ...] = ()
    if text == FROM_STANDARD_INPUT:
        given = parse_enrolment(sys.stdin.read(MOST_CHARACTERS))
        text, keys = given.token, given.keys
    token = enrolment.parse_token(text)
    identity = folder.identity_or_new()
    if repin:
        return _repin(folder, identity, token)
    if not identity.secret:
        raise StateError(SEALED_WORDS)
    answer = enrolment.enrol(token, identity.install_id, identity.secret, "agent")
    folder.save_identity(identity.enrolled(token, answer))
    trust_keys(state, keys)
    say(f"enrolled as {answer.source}; {NEXT_STEP.get(answer.state, answer.state)}")
    return 0


def _repin(folder: StateFolder, identity: AgentIdentity, token: enrolment.Token) -> int:
    """Believe the token's root from now on; the source, its secret and what waits stay."""
    if identity.source is None:
        raise NotEnrolledError("not enrolled yet: leave --repin out")
    folder.save_identity(identity.repinned(token, enrolment.fetch_root(token)))
    say(f"{identity.source} believes the server's new root; now: systemctl restart kiemke-agent")
    return 0
