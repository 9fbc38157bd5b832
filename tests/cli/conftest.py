"""Fixtures of the command line's tests: a server, a signed-in user, and a run of `kiemke`."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiemke.cli import i18n, session
from kiemke.cli.main import main
from tests.support.rest_server import RestServer, running_rest_server


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def spoken() -> None:
    """Begin each test in the language of the product, whatever the one before it spoke."""
    i18n.use("vi")


@pytest.fixture
def config_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of the test's own, in Vietnamese."""
    folder = tmp_path / "config"
    monkeypatch.setenv("KIEMKE_CONFIG_DIR", str(folder))
    monkeypatch.setenv("KIEMKE_LANG", "vi")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return folder


@pytest.fixture
def run(
    config_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run one command line in this process: ``run("unit", "list", stdin="secret\\n")``."""

    def call(*argv: str, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = main(argv)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return call


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[RestServer]:
    """A server of the test's own with nothing laid out."""
    with running_rest_server(tmp_path / "tls") as server:
        yield server


@pytest.fixture
def signed_in(rest: RestServer, config_dir: Path) -> RestServer:
    """The server with a user signed in to it."""
    sign_in(rest, config_dir)
    return rest


def sign_in(rest: RestServer, config_dir: Path, *, demo: bool = False) -> None:
    """Write the session file that `kiemke login` would."""
    session.save(
        config_dir,
        session.Session(
            server=rest.url,
            token="kmk_1_secret",
            name="an",
            role="it",
            ca_pem=rest.certificates.root_pem,
            ca_sha256=rest.certificates.root_sha256,
            expires_at="2099-01-01T00:00:00Z",
            utc_offset_seconds=25_200,
            demo=demo,
        ),
    )
