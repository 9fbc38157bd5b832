"""What a newcomer meets when something is missing: the scripts behind make say what to install."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tree import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A tree with the scripts, the locks and nothing made yet."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "tests").mkdir()
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock", "Makefile"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(folder: Path, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("CI", "PEERS")}
    return subprocess.run(
        command,
        cwd=folder,
        env={**clean, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


def write_python(path: Path, refuses: str) -> Path:
    """Write a stand-in interpreter that fails whatever is asked with this word in it."""
    path.write_text(f'#!/bin/sh\ncase "$2" in *{refuses}*) exit 1;; esac\nexit 0\n')
    path.chmod(0o755)
    return path


def test_without_any_python_the_error_says_what_to_install(copy: Path) -> None:
    ran = run(copy, "tools/environment", "run", PYTHON=str(copy / "nowhere"))

    assert ran.returncode == 1
    assert "needs Python 3.11 or newer; found: none" in ran.stderr
    assert "apt install python3" in ran.stderr
    assert not (copy / ".venv").exists()


def test_a_python_that_is_too_old_is_named(copy: Path) -> None:
    old = write_python(copy / "old-python", refuses="version_info")

    ran = run(copy, "tools/environment", "run", PYTHON=str(old))

    assert ran.returncode == 1
    assert f"needs Python 3.11 or newer; found: {old}" in ran.stderr


def test_a_python_without_venv_is_told_from_one_that_is_too_old(copy: Path) -> None:
    """Debian splits venv off; "needs 3.11" would be a riddle on a machine that has 3.13."""
    bare = write_python(copy / "bare-python", refuses="ensurepip")

    ran = run(copy, "tools/environment", "run", PYTHON=str(bare))

    assert ran.returncode == 1
    assert "lacks venv" in ran.stderr
    assert "python3-venv" in ran.stderr


def test_a_misspelt_kind_of_environment_is_refused(copy: Path) -> None:
    assert run(copy, "tools/environment", "development").returncode == 2


def test_missing_peers_are_named_with_the_way_to_have_them(copy: Path) -> None:
    """Without being asked, nothing is installed: this machine may not be ours to change."""
    (copy / "tests" / "peers.txt").write_text(
        "coreutils  true\nno-such-package  no-such-program no-such-twin  # why\n"
    )

    ran = run(copy, "tools/peers")

    assert ran.returncode == 0
    assert ran.stdout.splitlines() == [
        "Missing: no-such-program. Tests that need them are skipped; as root: PEERS=install make test"
    ]


def test_nothing_is_said_when_all_peers_are_here(copy: Path) -> None:
    (copy / "tests" / "peers.txt").write_text("# words\n\ncoreutils  true false\n")

    ran = run(copy, "tools/peers", CI="true")

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_make_alone_lists_what_can_be_made() -> None:
    ran = run(ROOT, "make", "--no-print-directory")

    assert ran.returncode == 0
    assert [line.split()[:2] for line in ran.stdout.splitlines()[:2]] == [
        ["make", "help"],
        ["make", "demo"],
    ]
