"""The Ansible role installs the agent from a wheel, twice without harm, and passes its linter."""

import grp
import json
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kiemke.agent.update.places import trusted_keys
from kiemke.wire.enrolment import make_token
from tests.support.peers import require_peer
from tests.support.tls_server import make_certificates, tls_server
from tests.support.tree import ROOT

KEY = "5f" * 32
BIN = Path(sys.executable).parent


def run_tool(*command: str | Path, **env: str) -> str:
    """Run a program of the virtual environment in ansible/; return what it printed."""
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT / "ansible",
        env={
            "PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": os.environ["HOME"],
            "LC_ALL": "C.UTF-8",
            # Discovery would meet whatever wrapper comes first in somebody's PATH.
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            **env,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this very tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return next(folder.glob("*.whl"))


def play(tmp_path: Path, wheel: Path, token: str, *flags: str) -> tuple[dict[str, int], str]:
    """Run the playbook against this machine into ``tmp_path``.

    Returns the counts of its recap and all it printed.
    """
    settings = {
        "ansible_connection": "local",
        "kiemke_become": False,
        "kiemke_agent_wheel": str(wheel),
        "kiemke_agent_token": token,
        "kiemke_agent_home": str(tmp_path / "opt"),
        "kiemke_agent_state": str(tmp_path / "state"),
        "kiemke_agent_unit_dir": str(tmp_path),
        "kiemke_agent_python": sys.executable,
        "kiemke_agent_manage_user": False,
        "kiemke_agent_user": pwd.getpwuid(os.geteuid()).pw_name,
        "kiemke_agent_group": grp.getgrgid(os.getegid()).gr_name,
        "kiemke_agent_update_keys": [KEY],
        "kiemke_agent_updater": str(tmp_path / "updater"),
    }
    printed = run_tool(
        BIN / "ansible-playbook",
        "-i",
        "localhost,",
        "-e",
        json.dumps(settings),
        "playbooks/agent.yml",
        *flags,
        ANSIBLE_LOCAL_TEMP=str(tmp_path / "ansible-local"),
        ANSIBLE_REMOTE_TEMP=str(tmp_path / "ansible-remote"),
    )
    recap = printed.rpartition("PLAY RECAP")[2]
    counts = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", recap)}
    assert counts["ok"] > 0, printed
    return counts, printed


def verify_unit(folder: Path) -> None:
    """Let systemd itself judge the unit with the settings beside it."""
    judged = subprocess.run(
        [require_peer("systemd-analyze"), "verify", "kiemke-agent.service"],
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    complaints = [line for line in judged.stderr.splitlines() if "kiemke-agent" in line]

    assert complaints == []


def test_the_role_passes_the_strictest_profile_of_its_linter() -> None:
    run_tool(BIN / "ansible-lint", "--offline", "--profile", "production", "-q")


def test_the_second_run_changes_nothing(tmp_path: Path, wheel: Path) -> None:
    """What is run every night on 500 PCs must not reinstall and enrol every night."""
    certificates = make_certificates(tmp_path / "ca")
    with tls_server(certificates) as server:
        token = make_token((server.url,), "token-1", "s3cret-of-token", certificates.root_sha256)
        rehearsal, _ = play(tmp_path, wheel, token, "--check")
        made_by_rehearsal = (tmp_path / "opt").exists()
        first, first_words = play(tmp_path, wheel, token, "-vv")
        second, _ = play(tmp_path, wheel, token)
    help_text = run_tool(tmp_path / "opt" / "venv" / "bin" / "kiemke-agent", "--help")

    assert rehearsal["failed"] == 0
    assert not made_by_rehearsal
    assert first["changed"] > 0
    assert second["changed"] == 0
    assert [one["token"] for one in server.enrolments] == ["token-1"]
    assert token not in first_words
    assert "kiemke-agent" in help_text
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert trusted_keys(tmp_path / "updater") == (bytes.fromhex(KEY),)
    verify_unit(tmp_path)
    settings = (tmp_path / "kiemke-agent.service.d" / "install.conf").read_text("utf-8")
    assert f"ExecStart={tmp_path}/opt/venv/bin/kiemke-agent run" in settings
