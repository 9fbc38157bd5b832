"""Fixtures every test may use: real peers on loopback and the corpora beside the repository."""

import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that `from tests.support.x import y` works under importlib mode

from tests.support.peers import SnmpdPeer, require_peer, running_postgres  # noqa: E402
from tests.support.prometheus import PrometheusPeer  # noqa: E402

# A loaded machine is slow, not wrong; the same examples each time keep main's verdict a verdict.
settings.register_profile("kiemke", deadline=None, derandomize=True)
settings.load_profile("kiemke")

# A file is one worker's work (--dist loadfile), and so are these folders' files together: they share a
# Wine, a server, or every file's syntax tree, that each worker would have to begin for itself.
TOGETHER = ("tests/windows/", "tests/paths/test_agent_", "tests/house/")

# These take longest, or mostly wait, and begin first so that no worker is alone with one of them at the
# end. The others follow in the order of their names.
LONGEST_FIRST = (
    "tests/paths/test_whole_line.py",
    "tests/windows/",
    "tests/paths/test_demo.py",
    "tests/ansible/test_agent_role.py",
    "tests/server/test_canaries.py",
    "tests/collectors/test_bad_network.py",
    "tests/paths/test_nothing_lost.py",
    "tests/agent/test_root_switch.py",
    "tests/paths/test_agent_",
    "tests/collectors/test_collector_program.py",
    "tests/server/test_reorganise.py",
    "tests/server/test_migrate.py",
    "tests/server/test_exports.py",
    "tests/server/test_imports.py",
    "tests/cli/test_real_server.py",
    "tests/server/test_prometheus.py",
    "tests/bench/test_senders.py",
    "tests/bench/test_districts.py",
    "tests/collectors/test_two_backends.py",
    "tests/collectors/test_ssh_visits.py",
    "tests/house/",
)


def _work_of(nodeid: str) -> str:
    """Return what a test belongs to: a name of TOGETHER, or its file."""
    file = nodeid.partition("::")[0]
    return next((name for name in TOGETHER if file.startswith(name)), file)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first; within a file the order stays."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(_work_of(item.nodeid), len(places)))


class _ByWork(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """xdist's distribution by file, where some files are one piece of work."""

    def _split_scope(self, nodeid: str) -> str:
        return _work_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute by work where the command line says by file."""
    return _ByWork(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Take away what a program run within a test made of logging: it writes to a closed stream."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler and handler not in before:
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL of this test run (postgres://user:password@127.0.0.1:port/postgres).

    Its user is a superuser: make a database of your own for each test that writes.
    """
    require_peer("initdb")
    # Not under pytest's own folder: that is 0700 and root's, and postgres must enter it.
    folder = Path(tempfile.mkdtemp(prefix="kiemke-postgres-"))
    try:
        with running_postgres(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def snmpd(tmp_path: Path) -> Iterator[Callable[..., SnmpdPeer]]:
    """A maker of running net-snmp agents: ``snmpd(extra_config="sysName sw-1")``."""
    started: list[SnmpdPeer] = []

    def start(extra_config: str = "", **fields: Any) -> SnmpdPeer:
        folder = tmp_path / f"snmpd-{len(started)}"
        peer = SnmpdPeer(require_peer("snmpd"), folder, extra_config, **fields)
        started.append(peer)
        peer.start()
        return peer

    yield start
    for peer in started:
        peer.stop()


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[..., PrometheusPeer]]:
    """A maker of running Prometheus servers: ``prometheus({"scrape_configs": [...]})``."""
    started: list[PrometheusPeer] = []

    def start(config: dict[str, Any], *flags: str) -> PrometheusPeer:
        folder = tmp_path / f"prometheus-{len(started)}"
        peer = PrometheusPeer(require_peer("prometheus"), folder, config, flags)
        started.append(peer)
        peer.start()
        return peer

    yield start
    for peer in started:
        peer.stop()


@pytest.fixture(scope="session")
def shared_corpora() -> Path:
    """The folder of recorded EDID, SMBIOS and SNMP corpora that may lie beside the repository."""
    folder = ROOT.parent / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip("no ../shared/corpora beside the repository: the large recordings are not here")
    return folder
