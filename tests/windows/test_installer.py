"""The Windows installer under Wine: silent, upgraded, gone again; and from a USB stick."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiemke.cli import i18n
from kiemke.cli.main import main as kiemke
from kiemke.cli.source_kit import scripts, words
from packages import windows_msi
from packages.__main__ import START_UP_SCRIPT, start_up_script
from tests.support.peers import require_peer, wait_until
from tests.support.server_process import ServerProcess
from tests.support.wine import (
    WindowsPc,
    enrolment_token,
    events,
    msi_table,
    reporting,
    rows,
    sign_in,
    windows_path,
)

PATIENCE = 60
KEY = "5f" * 32
PROGRAM = r"C:\Program Files\kiemke-agent\kiemke-agent.cmd"


@pytest.fixture(scope="module")
def installer(pc: WindowsPc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installer as `make packages` makes it, of the folder this PC has already."""
    require_peer("wixl")
    return windows_msi.build(pc.program, tmp_path_factory.mktemp("msi") / "kiemke-agent.msi")


def test_the_token_is_hidden_from_the_installers_log(installer: Path) -> None:
    """Wine writes it all the same; Windows looks at these two (msi.h)."""
    properties = msi_table(installer, "Property")

    assert properties["MsiHiddenProperties"] == ["TOKEN"]
    assert {"TOKEN", "TOKENFILE", "UPDATEKEY"} <= set(
        properties["SecureCustomProperties"][0].split(";")
    )
    assert int(msi_table(installer, "CustomAction")["Prepare"][0]) & 0x2000  # HideTarget


def test_who_repairs_gives_no_token_and_no_key(installer: Path) -> None:
    """Windows lets everybody begin a repair, and runs it as the system with what he gave."""
    sequence = msi_table(installer, "InstallExecuteSequence")
    actions = msi_table(installer, "CustomAction")

    assert sequence["Prepare"][0] == "NOT Installed"
    assert sequence["Mend"][0] == "Installed AND NOT REMOVE"
    assert actions["Mend"][2].endswith("setup") and "[" not in actions["Mend"][2]


def test_the_scheduled_task_goes_with_the_program_and_not_with_an_older_one(
    installer: Path,
) -> None:
    """While a newer one takes the place of an older one, the task is what could put it back."""
    sequence = msi_table(installer, "InstallExecuteSequence")

    assert sequence["Leave"][0] == 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE'
    assert int(sequence["Leave"][1]) < int(sequence["RemoveFiles"][1]), "it is the program's own"
    assert msi_table(installer, "CustomAction")["Leave"][2].endswith("setup --uninstall")


@pytest.fixture
def fresh(pc: WindowsPc) -> Iterator[Path]:
    """The agent's own folder, which is not there before and after; nothing stays installed."""
    folder = pc.drive / "ProgramData" / "kiemke-agent"
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    pc.run("net", "stop", "kiemke-agent")
    pc.run("sc", "delete", "kiemke-agent")
    shutil.rmtree(folder, ignore_errors=True)


def test_installed_upgraded_and_uninstalled_it_stays_the_same_machine(
    pc: WindowsPc, server: ServerProcess, installer: Path, fresh: Path
) -> None:
    """Silently with a token; then a newer one over it by the start-up script; then away with it."""
    before = reporting(server)
    share = pc.drive / "share"
    newer = windows_msi.build(pc.program, share / "kiemke-agent.msi", version="99.0.0")
    (share / START_UP_SCRIPT.name).write_bytes(start_up_script("99.0.0"))

    installed = pc.run(
        "msiexec", "/i", windows_path(installer), "/qn", f"TOKEN={enrolment_token(server)}",
        f"UPDATEKEY={KEY}",
    )  # fmt: skip
    wait_until(lambda: reporting(server) > before, "the installed service reports", PATIENCE)
    first = pc.run("reg", "query", r"HKLM\SOFTWARE\kiemke\agent", "/v", "Version").stdout
    identity = json.loads((fresh / "identity.json").read_text("utf-8"))
    inode = (fresh / "outbox.db").stat().st_ino
    upgraded = pc.run("cmd", "/c", rf"C:\share\{START_UP_SCRIPT.name}")
    installed_at = (pc.drive / "Program Files/kiemke-agent/python.exe").stat().st_ctime_ns
    at_the_next_start = pc.run("cmd", "/c", rf"C:\share\{START_UP_SCRIPT.name}")
    untouched_at = (pc.drive / "Program Files/kiemke-agent/python.exe").stat().st_ctime_ns
    second = pc.run("reg", "query", r"HKLM\SOFTWARE\kiemke\agent", "/v", "Version").stdout
    kept = json.loads((fresh / "identity.json").read_text("utf-8"))
    kept_inode = (fresh / "outbox.db").stat().st_ino
    again = pc.run("cmd", "/c", PROGRAM, "run", "--once")
    removed = pc.run("msiexec", "/x", windows_path(newer), "/qn")

    (source,) = reporting(server) - before
    assert (installed.returncode, upgraded.returncode, removed.returncode) == (0, 0, 0)
    assert (at_the_next_start.returncode, untouched_at) == (0, installed_at), "it is there already"
    assert "99.0.0" not in first and "99.0.0" in second
    sealed = "secret_sealed"  # for the account of the service
    assert (kept["source"], kept[sealed]) == (identity["source"], identity[sealed])
    assert kept_inode == inode, "what waits in the outbox waits on"
    # The installer itself is kept: the way back from a signed release.
    updater = pc.drive / "Program Files" / "kiemke-agent-update"
    assert (updater / "installed.msi").exists()
    assert (updater / "keys").read_text("ascii").split() == [KEY]
    assert not list((updater / "start-up").iterdir()), "neither installer nor token is left there"
    assert again.returncode == 0 or "another process is using" in again.stderr, again
    assert rows(server, "SELECT COUNT(*) FROM source WHERE kind = 'agent' AND id > ?", source) == [
        (0,)
    ]
    assert events(server, source)[0] == "boot"
    assert not (pc.drive / "Program Files" / "kiemke-agent" / "python.exe").exists()
    assert "kiemke-agent" not in pc.run("sc", "query", "kiemke-agent").stdout
    # What it was stays: installed again it is the same machine.
    assert (fresh / "identity.json").exists()
    assert rows(server, "SELECT state FROM source WHERE id = ?", source) == [("approved",)]


@pytest.mark.slow
def test_a_stick_installs_asks_and_the_answer_is_a_word_at_the_server(
    pc: WindowsPc,
    server: ServerProcess,
    installer: Path,
    fresh: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From `kiemke source kit` to the machine's page, by what a double click runs."""
    before = reporting(server)
    stick = pc.drive / "usb"
    monkeypatch.setenv("KIEMKE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("KIEMKE_LANG", "vi")
    sign_in(server, tmp_path / "config")
    made = kiemke(
        ["source", "kit", "--unit", "X1", "--uses", "1", "--approves", "--msi", str(installer),
         "-o", str(tmp_path / "kit.zip")]
    )  # fmt: skip
    zipfile.ZipFile(tmp_path / "kit.zip").extractall(stick)

    # "tran" fits two of the roster, then the second is chosen by its number.
    ran = pc.run("cmd", "/c", r"C:\usb\CAI-DAT.cmd", "elevated", text="tran\n3\nTS-0042\n\n")
    pc.run("msiexec", "/x", windows_path(installer), "/qn")

    (source,) = reporting(server) - before
    assert (made, ran.returncode) == (0, 0), ran
    assert "  3  Trần Đức Cường – Công chức" in ran.stdout, "Unicode, whatever the code page"
    assert "XONG: máy này đã báo về máy chủ. Có thể rút USB." in ran.stdout
    assert ran.stdout.rstrip().splitlines()[-2].startswith("XONG. Dong cua so nay")
    found = rows(
        server,
        "SELECT rows_json FROM source_section WHERE source_id = ? AND section = 'claimed_holder'",
        source,
    )
    (claim,) = json.loads(found[0][0])
    assert (claim["holder"], claim["code"], claim["tag"]) == ("Trần Đức Cường", "CB003", "TS-0042")
    assert rows(server, "SELECT COUNT(*) FROM custody") == [(0,)], "a word, not custody"
    assert not (stick / "enrolment.txt").exists(), "all the PCs it admits are done"
    assert len((stick / "DA-CAI.txt").read_text("utf-8-sig").splitlines()) == 1


def test_without_an_installer_the_last_line_says_so(pc: WindowsPc) -> None:
    folder = pc.drive / "bare"
    folder.mkdir()
    said = {}
    for language in ("vi", "en"):
        i18n.use(language)
        name = words()["install_cmd"]
        (folder / name).write_bytes(scripts()[name])
        ran = pc.run("cmd", "/c", rf"C:\bare\{name}", "elevated", text="\n")
        said[language] = ran.stdout
        assert ran.returncode == 1

    assert "KHONG XONG: thieu tep kiemke-agent.msi canh CAI-DAT.cmd" in said["vi"]
    assert "NOT DONE: kiemke-agent.msi is missing beside INSTALL.cmd" in said["en"]


def test_the_licence_of_the_python_it_carries_is_installed_with_it(pc: WindowsPc) -> None:
    text = (pc.program / "LICENSE-CPython.txt").read_text("utf-8")

    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in text
    assert "Microsoft Distributable Code" in text  # what the runtime DLLs beside it stand under
