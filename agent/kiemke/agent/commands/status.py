"""`kiemke-agent status`: all is well, or what to do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiemke.agent.pace import Intervals
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import say
from kiemke.wire.outbox import peek

WELL = ("sent", "idle")


def run(state: Path) -> int:
    """Print how the agent is doing; return 0 when all is well, 1 otherwise. Raises StateError."""
    folder = StateFolder(state)
    lines, well = describe(folder, datetime.now(UTC))
    for line in lines:
        say(line)
    return 0 if well else 1


def describe(folder: StateFolder, now: datetime) -> tuple[list[str], bool]:
    """Return the lines to show and whether all is well. Raises StateError."""
    identity = folder.identity()
    if identity is None or identity.source is None:
        return [
            "Not enrolled. Ask your administrator for a token, then: kiemke-agent enroll TOKEN"
        ], False
    lines = [f"Source {identity.source}, server {', '.join(identity.urls)}"]
    counts = peek(folder.outbox_path)
    said = folder.status()
    if counts is not None:
        lines.append(f"Reports waiting: {counts.reports}")
        if counts.dead:
            lines.append(f"Reports the server refused, kept here: {counts.dead}")
    if said.get("unsaved", "0") != "0":
        lines.append("The disk is full: new reports wait in memory alone. Free some space.")
        return lines, False
    tried = _moment(said.get("tried_at"))
    if tried is None:
        return [*lines, "It has not run yet: systemctl start kiemke-agent"], False
    lines.append(f"Last sent: {said.get('sent_at', 'never')}")
    if said.get("outcome") not in WELL:
        return [*lines, f"Not sending: {said.get('detail') or said.get('outcome')}"], False
    if now - tried > 3 * timedelta(seconds=Intervals().post_seconds):
        return [*lines, "It does not seem to run: systemctl start kiemke-agent"], False
    return [*lines, "All is well."], True


def _moment(text: str | None) -> datetime | None:
    """Return a moment from its text, None when there is none."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
