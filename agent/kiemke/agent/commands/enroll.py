"""`kiemke-agent enroll TOKEN`: makes this machine known to its server."""

from pathlib import Path

from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import say
from kiemke.wire import enrolment

NEXT_STEP = {
    "approved": "approved: it counts from its first report on",
    "pending": "waiting for approval: it reports already, and counts once an administrator approves",
}


def run(state: Path, text: str) -> int:
    """Enrol; asking twice with the same token changes nothing. Return 0.

    Raises EnrolmentError or StateError.
    """
    folder = StateFolder(state)
    folder.prepare()
    token = enrolment.parse_token(text)
    identity = folder.identity_or_new()
    answer = enrolment.enrol(token, identity.install_id, identity.secret, "agent")
    folder.save_identity(identity.enrolled(token, answer))
    say(f"enrolled as {answer.source}; {NEXT_STEP.get(answer.state, answer.state)}")
    return 0
