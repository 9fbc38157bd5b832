"""From a signed package to a renewed PC: real keys, server, dpkg and agents of two versions."""

import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiemke.agent.state import StateFolder
from kiemke.agent.update.apply import Outcome, Updater
from kiemke.agent.update.fetch import FetchError, fetch
from kiemke.agent.update.installers import Debian, InstallError
from kiemke.agent.update.places import Places, read_journal, trust
from kiemke.agent.update.renewal import Renewal
from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import _ as gettext
from kiemke.cli.release_keys import make_key, open_key, sign_package, signed_file
from kiemke.wire.update import PART_BYTES, read_signed
from packages.windows_tree import copy_agent
from tests.support.agent_server import AgentServer, run_agent
from tests.support.peers import require_peer

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="dpkg installs for root alone")

PASSWORD = "một câu đủ dài"
PROGRAM = f"""#!{sys.executable}
import sys
from pathlib import Path
sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "lib" / "kiemke-agent")]
from kiemke.agent.main import main
sys.exit(main())
"""
CONTROL = """Package: kiemke-agent
Version: {version}
Architecture: amd64
Maintainer: kiemke
Description: a small agent
 All but psutil is in it.
"""


def build(folder: Path, version: str, padding: int = 0) -> Path:
    """Return a real package of this tree's agent that says it is another version."""
    tree = folder / f"tree-{version}"
    program = tree / "usr" / "bin" / "kiemke-agent"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM, "utf-8")
    program.chmod(0o755)
    copy_agent(tree / "usr" / "lib" / "kiemke-agent")
    wire = tree / "usr" / "lib" / "kiemke-agent" / "kiemke" / "wire" / "__init__.py"
    wire.write_text(f'"""The wire."""\n\n__version__ = "{version}"\n', "utf-8")
    if padding:
        (tree / "usr" / "padding").write_bytes(os.urandom(padding))
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN" / "control").write_text(CONTROL.format(version=version), "utf-8")
    target = folder / f"kiemke-agent_{version}_amd64.deb"
    subprocess.run(
        [require_peer("dpkg-deb"), "--root-owner-group", "-Zgzip", "--build", str(tree), str(target)],
        check=True, capture_output=True,
    )  # fmt: skip
    return target


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system of its own with the agent 0.1.0 installed by dpkg."""
    root = tmp_path / "root"
    for name in ("info", "updates", "triggers"):
        (root / "var" / "lib" / "dpkg" / name).mkdir(parents=True)
    for name in ("status", "available"):
        (root / "var" / "lib" / "dpkg" / name).touch()
    Debian(root).install(build(tmp_path, "0.1.0"))
    return root


def installed(root: Path) -> str:
    """Return the version that dpkg has below ``root``."""
    return subprocess.run(
        ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", "-f", "${Version}", "kiemke-agent"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def program(root: Path) -> tuple[str, ...]:
    """Return the installed program, as the system starts it."""
    return (str(root / "usr" / "bin" / "kiemke-agent"),)


@pytest.fixture
def places(agent_server: AgentServer, tmp_path: Path) -> Places:
    """An enrolled agent and an updater that trusts nobody yet."""
    agent_server.enrolled(tmp_path / "state")
    return Places(tmp_path / "state", tmp_path / "updater")


def publish(server: AgentServer, package: Path, percent: int = 100) -> int:
    """Publish as `kiemke update publish` does."""
    signed = urlsafe_b64encode(signed_file(package).read_bytes()).decode()
    made = server.ask(
        "POST", "/agent-releases", content=package.read_bytes(), signed=signed, percent=percent
    )
    return int(made["id"])


def bring(places: Places, rest: Callable[[float], None] = lambda _: None) -> str:
    """Fetch as the agent's child does."""
    identity = StateFolder(places.state).identity()
    assert identity is not None
    return fetch(places, identity, "debian-amd64", version="0.1.0", rest=rest)


def signed(folder: Path, version: str, padding: int = 0) -> Path:
    """Return a package signed by the key in ``release.key``."""
    package = build(folder, version, padding)
    key = open_key(folder / "release.key", PASSWORD)
    sign_package(package, key, version=None, days=30, now=datetime.now(UTC))
    return package


def one_shot(places: Places, root: Path, rest: Callable[[float], None]) -> Outcome:
    """Run what installs, in a time that passes when it rests."""
    seconds = [0.0]

    def resting(pause: float) -> None:
        seconds[0] += pause
        rest(pause)

    return Updater(
        places, Debian(root), version="0.1.0", seconds=lambda: seconds[0], rest=resting
    ).run()


def test_a_signed_release_is_fetched_installed_and_reports(
    agent_server: AgentServer, places: Places, root: Path, tmp_path: Path
) -> None:
    words = ("--state", str(places.state), "--updater", str(places.updater))
    public = make_key(tmp_path / "release.key", PASSWORD)
    package = signed(tmp_path, "0.2.0", padding=2 * PART_BYTES)
    release = publish(agent_server, package)
    untrusted = run_agent("update", "fetch", *words)
    run_agent("update", "trust", public, *words, "--root", str(root))
    pauses: list[float] = []
    fetched = bring(places, pauses.append)

    def live(pause: float) -> None:
        """What the PC does while the one-shot waits: its new service runs."""
        run_agent("run", "--once", "--state", str(places.state), program=program(root))

    outcome = one_shot(places, root, live)

    told = Renewal(places.state, places.updater).news(None)
    agent_server.ask("POST", f"/agent-releases/{release}/withdraw", {})
    assert "no key is trusted here" in untrusted.stdout
    parts = (package.stat().st_size - 1) // PART_BYTES
    assert parts >= 2
    assert (fetched, pauses) == ("0.2.0 waits to be installed", [2.0] * parts)
    assert outcome == Outcome("installed", "0.2.0")
    assert installed(root) == "0.2.0"
    assert told is not None and told[1].detail["outcome"] == "installed"
    section = agent_server.rows(
        "SELECT e.rows_json FROM source_section e JOIN source s ON s.id = e.source_id"
        " WHERE s.install_id = ? AND e.section = 'identity'",
        StateFolder(places.state).identity_or_new().install_id,
    )
    assert '"0.2.0"' in section[0][0]


def test_a_release_that_stays_mute_is_taken_back_and_not_fetched_again(
    agent_server: AgentServer, places: Places, root: Path, tmp_path: Path
) -> None:
    trust(places.updater, make_key(tmp_path / "release.key", PASSWORD))
    release = publish(agent_server, signed(tmp_path, "0.3.0"))
    bring(places)
    rests: list[float] = []

    def live(pause: float) -> None:
        """The new one says nothing for ten minutes; the one put back reports with its first round."""
        rests.append(pause)
        if installed(root) == "0.1.0":
            run_agent("run", "--once", "--state", str(places.state), program=program(root))

    outcome = one_shot(places, root, live)

    again = bring(places)
    agent_server.ask("POST", f"/agent-releases/{release}/withdraw", {})
    assert (outcome.what, installed(root)) == ("rolled_back", "0.1.0")
    assert sum(rests) == 605.0
    assert run_agent("--version", program=program(root)).stdout == "kiemke-agent 0.1.0\n"
    assert read_journal(places.updater).failed == ("0.3.0",)
    assert "taken back here before" in again
    assert bring(places) == "nothing newer"


def test_a_line_that_breaks_costs_one_part_and_a_server_that_lies_nothing(
    agent_server: AgentServer, places: Places, tmp_path: Path
) -> None:
    trust(places.updater, make_key(tmp_path / "release.key", PASSWORD))
    package = signed(tmp_path, "0.4.0", padding=3 * PART_BYTES)
    release = publish(agent_server, package)
    whole = package.read_bytes()

    def break_after_two(_: float) -> None:
        pauses.append(1)
        if len(pauses) == 2:
            raise FetchError("the line broke")

    pauses: list[int] = []
    with pytest.raises(FetchError):
        bring(places, break_after_two)
    before = (places.inbox / "offer.part").stat().st_size
    rest: list[float] = []
    again = bring(places, rest.append)

    assert before == 2 * PART_BYTES
    assert again == "0.4.0 waits to be installed"
    assert len(rest) == (len(whole) - 1) // PART_BYTES - 2
    assert places.package.read_bytes() == whole
    assert read_signed(places.signed.read_bytes()).manifest.version == "0.4.0"

    # A server that gives other bytes than were signed: nothing of them stays.
    agent_server.ask("POST", f"/agent-releases/{release}/stage", {"percent": 100})
    places.package.unlink()
    (places.inbox / "offer.part").write_bytes(
        b"x" * PART_BYTES + whole[PART_BYTES : 2 * PART_BYTES]
    )
    with pytest.raises(FetchError, match="not the one that was signed"):
        bring(places)
    assert not places.package.exists() and not (places.inbox / "offer.part").exists()
    assert not places.signed.exists()
    agent_server.ask("POST", f"/agent-releases/{release}/withdraw", {})


def test_what_is_kept_as_the_way_back_is_the_package_that_was_installed(
    root: Path, tmp_path: Path
) -> None:
    debian = Debian(root)

    kept = debian.keep(tmp_path / "previous")
    debian.install(build(tmp_path, "0.2.0"))
    newer = installed(root)
    debian.go_back(kept)

    assert (newer, installed(root)) == ("0.2.0", "0.1.0")
    assert run_agent("--version", program=program(root)).stdout == "kiemke-agent 0.1.0\n"
    with pytest.raises(InstallError, match="dpkg"):
        debian.install(tmp_path / "nothing.deb")


def test_a_signing_key_is_sealed_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "release.key"
    make_key(file, PASSWORD)
    before = file.read_bytes()

    assert b"ENCRYPTED" in before and file.stat().st_mode & 0o077 == 0
    with pytest.raises(KiemkeError, match=gettext("this password does not open the signing key")):
        open_key(file, "another")
    with pytest.raises(KiemkeError, match=gettext("the file exists already")):
        make_key(file, PASSWORD)
    file.chmod(0o644)
    with pytest.raises(KiemkeError, match=gettext("others may read the signing key")):
        open_key(file, PASSWORD)
    assert file.read_bytes() == before
