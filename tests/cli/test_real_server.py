"""The command line against the real server: its own process, certificate, database and words."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiemke.cli import session
from tests.cli.conftest import Run
from tests.support.peers import free_port

PASSWORD = "một mật khẩu đủ dài"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Office:
    """A running server with one administrator, `quan-tri`."""

    url: str
    fingerprint: str


def _server(environment: dict[str, str], *argv: str, stdin: str = "") -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "kiemke.server.main", *argv],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The real server on a free port of loopback."""
    folder = tmp_path_factory.mktemp("office")
    port = free_port()
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "KIEMKE_DATA_DIR": str(folder),
        "KIEMKE_LISTEN_HOST": "127.0.0.1",
        "KIEMKE_LISTEN_PORT": str(port),
    }
    _server(environment, "migrate")
    _server(environment, "user", "add", "quan-tri", "--role", "admin", stdin=PASSWORD + "\n")
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "kiemke.server.main", "run"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for_port(running, port, folder / "log")
        found = re.search(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", _server(environment, "ca"))
        assert found is not None
        yield Office(f"https://127.0.0.1:{port}", found.group())
    finally:
        running.terminate()
        running.wait(30)


def _wait_for_port(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert running.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until, log.read_text("utf-8")
            time.sleep(0.05)


@pytest.fixture
def admin(office: Office, run: Run) -> Office:
    """The administrator signed in to the real server."""
    ran = run(
        "login", office.url, "quan-tri", "--fingerprint", office.fingerprint, stdin=PASSWORD + "\n"
    )
    assert (ran.code, ran.err) == (0, "")
    return office


def test_the_fingerprint_the_server_prints_is_the_one_that_signs_in(
    admin: Office, run: Run, config_dir: Path
) -> None:
    me = json.loads(run("me", "--json").out)

    assert (me["name"], me["role"], me["server"]) == ("quan-tri", "admin", admin.url)
    kept = session.load(config_dir)
    assert kept is not None
    assert kept.expires_at is not None


@pytest.mark.parametrize(
    "noun",
    [
        "unit",
        "official",
        "asset",
        "machine",
        "device",
        "link",
        "source",
        "norm",
        "wear",
        "finding",
        "user",
        "token",
    ],
)
def test_every_listing_is_understood(noun: str, admin: Office, run: Run) -> None:
    for argv in ((noun, "list"), (noun, "list", "--json")):
        ran = run(*argv)

        assert (ran.code, ran.err) == (0, "")


def test_coverage_is_understood(admin: Office, run: Run) -> None:
    for argv in (("coverage",), ("coverage", "who"), ("coverage", "show", "--csv")):
        ran = run(*argv)

        assert (ran.code, ran.err) == (0, "")


def test_what_is_not_there_is_told_in_both_languages(admin: Office, run: Run) -> None:
    vietnamese, english = run("unit", "show", "zzz"), run("unit", "show", "zzz", "--lang", "en")

    assert (vietnamese.code, english.code) == (1, 1)
    assert vietnamese.err.startswith("Lỗi: ")
    assert english.err.startswith("Error: ")
    assert "zzz" in vietnamese.err


def test_a_table_is_filled_checked_and_taken_in(admin: Office, run: Run, tmp_path: Path) -> None:
    """From the empty template to the listing and the auditor's file, by the command line alone."""
    template = tmp_path / "units.csv"
    assert run("template", "units", "-o", str(template)).code == 0
    heading = template.read_text("utf-8-sig").splitlines()[0]
    row = {"Mã": "TG", "Tên": "Huyện Thanh Giang", "Loại": "huyện", "Từ ngày": "01/01/2020"}
    separator = ";" if ";" in heading else ","
    names = [name.strip('"') for name in heading.split(separator)]
    line = separator.join(next((v for k, v in row.items() if _is(name, k)), "") for name in names)
    template.write_text(f"{heading}\r\n{line}\r\n", "utf-8-sig")

    checked = run("import", "units", str(template))
    assert (checked.code, checked.err) == (0, ""), checked.out
    assert run("unit", "show", "TG").code == 1
    assert run("import", "units", str(template), "--apply").code == 0

    assert "Huyện Thanh Giang" in run("unit", "show", "thanh giang").out
    assert run("source", "token", "--unit", "TG").out.splitlines()[-1].startswith("kiemke-agent")
    report = tmp_path / "kiem-ke.xlsx"
    assert run("export", "equipment", "-o", str(report), "--unit", "TG").code == 0
    assert report.read_bytes().startswith(b"PK")


def _is(heading: str, name: str) -> bool:
    """Headings are bilingual ("Mã / Code *") or plain; the first words name the column."""
    return heading.split("/")[0].split("(")[0].rstrip(" *") == name


def test_the_doctor_knows_the_real_server(admin: Office, run: Run) -> None:
    """A new office has no agent yet: that is what it says, and nothing else is wrong."""
    found = json.loads(run("doctor", "--json").out)

    bad = [row["name"] for row in found if row["verdict"] == "bad"]
    assert bad == ["Tác tử", "Bộ thu thập"]


def test_a_viewer_is_stopped_with_exit_3(admin: Office, run: Run, config_dir: Path) -> None:
    run("user", "add", "xem", "--role", "viewer", stdin="mật khẩu người xem\n")
    ran = run(
        "login", admin.url, "xem", "--fingerprint", admin.fingerprint, stdin="mật khẩu người xem\n"
    )
    assert ran.code == 0, ran.err

    assert run("asset", "list").code == 3
    assert run("unit", "list").code == 0
    assert run("logout").code == 0
    assert run("unit", "list").code == 3
