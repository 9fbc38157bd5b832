"""What the agent is called as a service of Windows, and what is started for it."""

from pathlib import Path

from kiemke.wire.windows_service.manager import Service

SERVICE_NAME = "kiemke-agent"
LOG_FILE = "agent.log"


def entry(program: Path, state: Path) -> Service:
    """Return the service that runs the agent with its files in ``state``."""
    return Service(
        SERVICE_NAME,
        "kiemke agent",
        "Counts this machine and tells the office's server. Opens no port, takes no commands.",
        f'"{program}" -m kiemke.agent.main service --state "{state}"',
    )
