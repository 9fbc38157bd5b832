"""`kiemke-agent enroll TOKEN`: makes this machine known to its server."""

import sys
from pathlib import Path

from kiemke.agent.enrolment_file import MOST_CHARACTERS, parse_enrolment, trust_keys
from kiemke.agent.files import NotEnrolledError, StateError
from kiemke.agent.state import SEALED_WORDS, AgentIdentity, StateFolder
from kiemke.agent.terminal import say
from kiemke.agent.words import RESTART, Both, speak
from kiemke.wire import enrolment
from kiemke.wire.mouth import open_mouth

FROM_STANDARD_INPUT = "-"
ENROLLED = Both("đã ghi danh là {source}; {next}", "enrolled as {source}; {next}")
NEXT_STEP = {
    "approved": Both(
        "đã duyệt: được tính từ báo cáo đầu tiên", "approved: it counts from its first report on"
    ),
    "pending": Both(
        "chờ duyệt: máy đã báo cáo, và được tính khi quản trị viên duyệt",
        "waiting for approval: it reports already, and counts once an administrator approves",
    ),
}
REPINNED = Both(
    "{source} tin chứng thư gốc mới của máy chủ; tiếp theo: {restart}",
    "{source} believes the server's new root; now: {restart}",
)


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
    if answer.source != identity.source:
        _forget_aside(folder)
    trust_keys(state, keys)
    open_mouth()
    step = NEXT_STEP.get(answer.state)
    told = answer.state if step is None else speak(step)
    say(speak(ENROLLED, source=answer.source, next=told))
    return 0


def _forget_aside(folder: StateFolder) -> None:
    """Forget that the server had set aside who this install was before."""
    said = folder.status()
    if said.pop("aside", None) is not None:
        folder.save_status(said)


def _repin(folder: StateFolder, identity: AgentIdentity, token: enrolment.Token) -> int:
    """Believe the token's root from now on; the source, its secret and what waits stay."""
    if identity.source is None:
        raise NotEnrolledError("not enrolled yet: leave --repin out")
    folder.save_identity(identity.repinned(token, enrolment.fetch_root(token)))
    open_mouth()
    say(speak(REPINNED, source=identity.source, restart=RESTART))
    return 0
