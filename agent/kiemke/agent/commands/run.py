"""`kiemke-agent run`: the service itself, or one round of it."""

import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType, ModuleType

from kiemke.agent.files import NotEnrolledError, StateError
from kiemke.agent.halt import Halt
from kiemke.agent.host import Host
from kiemke.agent.journal import warn
from kiemke.agent.loop import Agent
from kiemke.agent.sensors import reach
from kiemke.agent.state import TOKEN_FILE, AgentIdentity, StateFolder
from kiemke.agent.terminal import complain, say
from kiemke.agent.update.renewal import Renewal
from kiemke.wire.chance import SystemChance
from kiemke.wire.client import Outcome, Sender
from kiemke.wire.clocks import SystemClock
from kiemke.wire.outbox import Outbox
from kiemke.wire.pin import Pins
from kiemke.wire.report import Answer

ONCE_DEADLINE_SECONDS = 60.0
# systemd makes this file while it takes the machine down (systemd-user-sessions.service).
SHUTDOWN_MARK = Path("/run/nologin")


def run(
    state: Path, *, once: bool, spread_seconds: float, outbox_mb: float, halt: Halt | None = None
) -> int:
    """Run the agent until ``halt`` is rung, by default by SIGTERM or SIGINT; return 0.

    With ``once`` one inventory and one sample are posted; 1 is returned when they could not be.
    A token that an installer left is used first. Raises StateError, OutboxError or PinError when
    it cannot begin.
    """
    folder = StateFolder(state)
    folder.prepare()
    if halt is not None:
        return _run(folder, once, spread_seconds, outbox_mb, halt)
    halt = Halt()
    if not once:
        _stop_on_signals(halt)
    try:
        return _run(folder, once, spread_seconds, outbox_mb, halt)
    finally:
        halt.close()


def _run(
    folder: StateFolder, once: bool, spread_seconds: float, outbox_mb: float, halt: Halt
) -> int:
    """Enrol if a token waits, then run."""
    identity = folder.identity_or_new()
    if (folder.path / TOKEN_FILE).exists() and not _is_bound(folder, identity):
        identity = _enrol(folder, identity, halt, once=once)
        if halt.cause is not None:
            return 0
        spread_seconds = 0.0  # somebody has just installed it and waits to see it arrive
    identity = _sealed(folder, identity)
    credentials = identity.credentials()
    clock = SystemClock.read()
    outbox = Outbox(folder.outbox_path, clock, outbox_mb)
    agents: list[Agent] = []

    def keep(pins: Pins) -> None:
        # A disk that cannot is told: the server announces the root again after the next start.
        try:
            folder.save_identity(identity.with_pins(pins))
        except StateError as err:
            warn("root certificate not kept", reason=str(err))

    def heed(answer: Answer) -> None:
        agents[0].heed(answer)

    try:
        sender = Sender(outbox, credentials, clock, on_answer=heed, on_pins=keep)
        host = Host(install_id=identity.install_id, folder=folder.path)
        agent = Agent(
            folder, host, clock, outbox, sender, reach=lambda: reach.measure(sender.peer),
            renewal=None if once else Renewal(folder.path),
        )  # fmt: skip
        agents.append(agent)
        if once:
            try:
                code = _once(agent, outbox)
            finally:
                sender.close()
        else:
            halt.pass_on(agent.stop)
            agent.run(SystemChance().uniform(0.0, spread_seconds))
            code = 0
        if agent.copy_found is not None:
            _copied().tell_server(folder, agent.copy_found, outbox, sender, clock)
            sender.close()
    finally:
        for agent in agents:
            agent.close()
        outbox.close()
    if agent.copy_found is None:
        return code
    if _copied().leave_name(folder, identity):
        return _run(folder, once, 0.0, outbox_mb, halt)
    raise NotEnrolledError(
        f"this disk is a copy of that of {identity.source}: enrol this PC with a token of its own"
    )


def _copied() -> ModuleType:
    """Return what is done by an install on another machine than its own; few ever are."""
    from kiemke.agent import copied

    return copied


def _enrol(
    folder: StateFolder, identity: AgentIdentity, halt: Halt, *, once: bool
) -> AgentIdentity:
    """Return the identity that the waiting token gives, as soon as the server answers."""
    # Once in an install's life.
    from kiemke.agent import copied
    from kiemke.agent.pending import enrol_when_possible

    # Before the token is used: it is for this PC, not for the one whose disk was copied.
    if identity.source is not None and copied.is_copy(folder):
        copied.leave_name(folder, identity)
        identity = folder.identity_or_new()
    return enrol_when_possible(folder, identity, halt, once=once)


def _sealed(folder: StateFolder, identity: AgentIdentity) -> AgentIdentity:
    """Return the identity with its secret sealed for this account, where the system seals.

    The account is the service's from its first start on: what an administrator's `enroll` left for it is
    sealed then. One that cannot be is told: the folder is closed to others anyway.
    """
    if sys.platform != "win32" or identity.sealed is not None:
        return identity
    # Windows alone seals.
    from kiemke.agent.windows.dpapi import seal

    try:
        sealed = replace(identity, sealed=seal(identity.secret))
        folder.save_identity(sealed)
    except (StateError, OSError) as err:
        warn("secret not sealed", reason=str(err))
        return identity
    return sealed


def _is_bound(folder: StateFolder, identity: AgentIdentity) -> bool:
    """Tell whether the token that is there was used already: on a PC that forgets, it stays."""
    from kiemke.agent import frozen

    return identity.source is not None and (folder.path / frozen.MARK).exists()


def _once(agent: Agent, outbox: Outbox) -> int:
    """Run one round and say what came of it."""
    # A person has called it: the running service speaks to nobody.
    from kiemke.agent.tongue import in_tongue
    from kiemke.agent.words import Both, speak
    from kiemke.wire.mouth import open_mouth

    sent = Both("đã gửi: một bản kiểm kê và một mẫu", "sent: one inventory and one sample")
    not_sent = Both(
        "chưa gửi được, {n} báo cáo đang chờ: {why}", "not sent, {n} reports wait: {why}"
    )
    open_mouth()
    attempt = agent.run_once(ONCE_DEADLINE_SECONDS)
    waiting = outbox.counts().reports
    if attempt.outcome is Outcome.IDLE and not waiting:
        say(speak(sent))
        return 0
    complain(speak(not_sent, n=waiting, why=in_tongue(attempt.detail or attempt.outcome.value)))
    return 1


def _stop_on_signals(halt: Halt) -> None:
    """Let SIGTERM and SIGINT end the agent in order, and tell a shutdown from a mere stop."""

    def handle(number: int, frame: FrameType | None) -> None:
        halt.ring("machine" if SHUTDOWN_MARK.exists() else "service")

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)
