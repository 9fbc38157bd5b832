"""The Windows installer under Wine: silent with a token, running, reporting, and gone again."""

import subprocess
from pathlib import Path

import pytest

from packages import windows_msi
from tests.support.peers import require_peer, wait_until
from tests.support.server_process import ServerProcess
from tests.support.wine import (
    WindowsPc,
    enrolment_token,
    events,
    reporting,
    rows,
    windows_path,
)

PATIENCE = 60
PROGRAM = r"C:\Program Files\kiemke-agent\kiemke-agent.cmd"


@pytest.fixture(scope="module")
def installer(pc: WindowsPc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installer as `make packages` makes it, of the folder this PC has already."""
    require_peer("wixl")
    return windows_msi.build(pc.program, tmp_path_factory.mktemp("msi") / "kiemke-agent.msi")


def table(installer: Path, name: str) -> dict[str, list[str]]:
    """Return a table of the installer, by the first column."""
    done = subprocess.run(
        [require_peer("msiinfo"), "export", str(installer), name],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split("\t") for line in done.stdout.splitlines()[3:]]
    return {line[0]: line[1:] for line in lines}


def test_the_token_is_hidden_from_the_installers_log(installer: Path) -> None:
    """Wine writes it all the same; Windows looks at these two (msi.h)."""
    properties = table(installer, "Property")

    assert properties["MsiHiddenProperties"] == ["TOKEN"]
    assert {"TOKEN", "TOKENFILE"} <= set(properties["SecureCustomProperties"][0].split(";"))
    assert int(table(installer, "CustomAction")["Prepare"][0]) & 0x2000  # HideTarget


def test_installed_silently_it_reports_and_uninstalled_it_is_gone(
    pc: WindowsPc, server: ServerProcess, installer: Path
) -> None:
    before = reporting(server)
    msi = windows_path(installer)

    installed = pc.run("msiexec", "/i", msi, "/qn", f"TOKEN={enrolment_token(server)}")
    wait_until(lambda: reporting(server) > before, "the installed service reports", PATIENCE)
    status = pc.run("cmd", "/c", PROGRAM, "status")
    removed = pc.run("msiexec", "/x", msi, "/qn")

    (source,) = reporting(server) - before
    assert (installed.returncode, removed.returncode) == (0, 0)
    assert status.stdout.splitlines()[-1] == "All is well.", status
    assert events(server, source)[0] == "boot"
    assert not (pc.drive / "Program Files" / "kiemke-agent" / "python.exe").exists()
    assert "kiemke-agent" not in pc.run("sc", "query", "kiemke-agent").stdout
    # What it was stays: installed again it is the same machine.
    assert (pc.drive / "ProgramData" / "kiemke-agent" / "identity.json").exists()
    assert rows(server, "SELECT state FROM source WHERE id = ?", source) == [("approved",)]


def test_the_licence_of_the_python_it_carries_is_installed_with_it(pc: WindowsPc) -> None:
    text = (pc.program / "LICENSE-CPython.txt").read_text("utf-8")

    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in text
    assert "Microsoft Distributable Code" in text  # what the runtime DLLs beside it stand under
