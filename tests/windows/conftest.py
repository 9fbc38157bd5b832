"""A Windows PC under Wine for the tests of this folder; without Wine they are skipped."""

from collections.abc import Iterator

import pytest

from tests.support.server_process import ServerProcess
from tests.support.wine import WindowsPc, running_pc, running_server


@pytest.fixture(scope="session")
def pc() -> Iterator[WindowsPc]:
    """One PC for the worker that runs these tests; each test uses a state folder of its own."""
    with running_pc() as made:
        yield made


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real server with one unit, for the same worker."""
    with running_server(tmp_path_factory.mktemp("server")) as made:
        yield made
