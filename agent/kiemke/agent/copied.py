"""What an install does that finds itself on another machine: it leaves the name it was copied with.

The disk of one PC was written onto another without `kiemke-agent seal`. Two PCs must not report as one: the
copy forgets who it was, keeps nothing of what waited (the original sends that itself), and enrols by the
token that waits, if there is one. Otherwise it tells the server under the old name, once, and rests.
"""

from dataclasses import replace

from kiemke.agent.files import StateError
from kiemke.agent.journal import warn
from kiemke.agent.pending import waiting_token
from kiemke.agent.state import IDENTITY_FILE, OUTBOX_FILE, AgentIdentity, Memory, StateFolder
from kiemke.wire.client import Sender
from kiemke.wire.clocks import Clock
from kiemke.wire.codec import CodecError
from kiemke.wire.outbox import Outbox, OutboxError
from kiemke.wire.report import Event, Report

TELL_SECONDS = 30.0
COPIED_FILE = "identity.copied.json"
COPIED = "copied"


def is_copy(folder: StateFolder) -> bool:
    """Tell whether the machine below is another than the one this install was on, as its parts say."""
    # When a token waits for an install that has a name already, which is rare.
    from kiemke.agent import evidence
    from kiemke.agent.host import Host

    before = folder.memory().evidence
    return bool(before) and evidence.is_another(before, evidence.read(Host(folder=folder.path)))


def tell_server(
    folder: StateFolder, found: dict[str, str], outbox: Outbox, sender: Sender, clock: Clock
) -> None:
    """Tell the server of the copy under the old name, where no token lets this PC tell it itself."""
    if waiting_token(folder.path) is not None:
        return
    report = Report(
        stream=0, seq=0, boot_id=clock.boot_id, at=clock.now(),
        uptime_seconds=clock.uptime_seconds(), kind="event", body=Event("identity", found),
    )  # fmt: skip
    try:
        outbox.put(report)
        attempt = sender.drain(TELL_SECONDS)
    except (OutboxError, CodecError) as err:
        warn("copy not told", reason=str(err))
        return
    if attempt.detail:
        warn("copy not told", reason=attempt.detail)


def leave_name(folder: StateFolder, identity: AgentIdentity) -> bool:
    """Forget who this install was; return whether a token waits to enrol it anew.

    The old identity stays aside for a person to look at. The outbox must be closed. Raises StateError.
    """
    try:
        for file in folder.path.glob(f"{OUTBOX_FILE}*"):
            file.unlink()
        (folder.path / IDENTITY_FILE).replace(folder.path / COPIED_FILE)
    except OSError as err:
        raise StateError(f"{err.filename}: {err.strerror or err}") from err
    folder.save_memory(replace(Memory(), copied_from=identity.source))
    folder.save_status({"outcome": COPIED, "detail": identity.source or ""})
    return waiting_token(folder.path) is not None
