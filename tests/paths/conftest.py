"""One server for all tests of agents' lives."""

from collections.abc import Iterator

import pytest

from tests.support.agent_server import AgentServer, running_agent_server


@pytest.fixture(scope="session")
def agent_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    """A real server whose agents are this machine's; shared, so ask about your own source alone."""
    with running_agent_server(tmp_path_factory.mktemp("agents")) as server:
        yield server
