"""The Debian package: what is in it runs by itself, under a service that may do little."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from packages import debian
from tests.support.peers import require_peer

PYTHON = Path("/usr/bin/python3")
# 0 is a service that may do nothing, 10 one that may do all; 2.1 with the right to read serials.
MOST_EXPOSURE = 1.9


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_peer("dpkg-deb")
    target = tmp_path_factory.mktemp("deb") / "kiemke-agent.deb"
    return debian.build(target)


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    subprocess.run([require_peer("dpkg-deb"), "-x", str(package), str(root)], check=True)
    return root


def run(unpacked: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the packaged program by the system's own Python, as its first line says."""
    done = subprocess.run([str(PYTHON), "-c", "import sys; print(sys.version_info >= (3, 11))"],
        capture_output=True, text=True, check=False)  # fmt: skip
    if done.stdout != "True\n":
        pytest.skip("no /usr/bin/python3 of 3.11 or newer: the package does not install here")
    program = unpacked / "usr" / "bin" / "kiemke-agent"
    return subprocess.run([str(program), *words], capture_output=True, text=True, check=False,
        cwd=unpacked, env={"PATH": os.environ["PATH"]}, timeout=60)  # fmt: skip


def test_the_packaged_program_counts_the_machine_with_what_it_brings(
    unpacked: Path, tmp_path: Path
) -> None:
    done = run(unpacked, "inventory", "--state", str(tmp_path))

    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert said["os"]["status"] == "ok"
    assert said["adapters"]["status"] == "ok"  # psutil came with the package


def test_what_setup_leaves_waits_for_the_service(unpacked: Path, tmp_path: Path) -> None:
    broken = run(unpacked, "setup", "--state", str(tmp_path / "state"), "--token", "cut.token")

    assert broken.returncode == 1
    assert broken.stderr.startswith("kiemke-agent: ")
    assert not (tmp_path / "state").exists()


def test_the_service_may_do_little(tmp_path: Path) -> None:
    unit = tmp_path / "kiemke-agent.service"
    unit.write_text(debian.hardened_unit(), "utf-8")

    done = subprocess.run(
        [require_peer("systemd-analyze"), "security", "--offline=true",
         f"--threshold={MOST_EXPOSURE * 10:.0f}", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-300:]
    assert "User=kiemke-agent" in unit.read_text("utf-8")


def test_everything_in_the_package_belongs_to_root_and_is_readable(package: Path) -> None:
    done = subprocess.run(
        [require_peer("dpkg-deb"), "-c", str(package)], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]

    assert {line[1] for line in lines} == {"root/root"}
    assert {line[0] for line in lines} == {"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"}
