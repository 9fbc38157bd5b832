"""The server as it is run: TLS by its own root, errors in one shape, logs in lines, an orderly end."""

import csv
import http.client
import io
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from kiemke.wire.enrolment import Token, enrol, parse_token
from tests.support.api import PASSWORD, Api, make_office, running_api

START_SECONDS = 60
BASE = {"PATH": os.defpath, "LANG": "C.UTF-8"}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


@dataclass(slots=True)
class Running:
    """A server process: its port, its folder and where it logs."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    log: Path
    port: int = 0

    def wait(self) -> None:
        """Wait until it says where it listens."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for entry in self.entries():
                if entry["event"] == "listening":
                    self.port = int(str(entry["port"]))
                    return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def entries(self) -> list[dict[str, object]]:
        """Return the log's whole lines."""
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def request(
        self, method: str, path: str, body: object = None, token: str | None = None
    ) -> tuple[int, bytes]:
        """Ask over TLS, verifying the fixed name by the server's own root, whatever the address."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca" / "root.pem"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=context, timeout=20
        )
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        text = body if isinstance(body, str) else json.dumps(body)
        data = None if body is None else text.encode()
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kiemke.server.main", *arguments]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    folder, log = tmp_path / "data", tmp_path / "log"
    environ = {
        **BASE,
        "KIEMKE_DATA_DIR": str(folder),
        "KIEMKE_LISTEN_HOST": "127.0.0.1",
        "KIEMKE_LISTEN_PORT": "0",
    }
    subprocess.run(
        command("user", "add", "lan", "--role", "admin"),
        env=environ,
        input=f"{PASSWORD}\n".encode(),
        check=True,
        timeout=60,
    )
    with log.open("wb") as stream:
        process = subprocess.Popen(command("run"), env=environ, stderr=stream)
    running = Running(process, folder, log)
    try:
        running.wait()
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(20)


def test_the_program_serves_enrols_a_pinned_agent_and_ends_in_order(server: Running) -> None:
    """One start of the real program, since each costs seconds: the whole way of a first day.

    The agent's pinned client and this root are written apart; here they meet.
    """
    status, health = server.request("GET", "/healthz")
    _, signed = server.request("POST", "/api/v1/login", {"name": "lan", "password": PASSWORD})
    token = json.loads(signed)["token"]
    _, file = server.request("GET", "/api/v1/templates/units?format=csv&lang=en", token=token)
    unit = add_unit(server, token, file)
    _, made = server.request("POST", "/api/v1/enrolment-tokens", {"unit": unit}, token=token)
    enrolled = enrol(with_port(json.loads(made)["token"], server.port), "ab" * 16, "s", "agent")

    assert (status, json.loads(health)["status"]) == (200, "ok")
    assert enrolled.state == "pending"

    server.process.send_signal(signal.SIGTERM)

    assert server.process.wait(30) == 0
    assert PASSWORD not in server.log.read_text()
    assert {"at", "level", "event"} <= set.intersection(*(set(e) for e in server.entries()))


def add_unit(server: Running, token: str, template: bytes) -> str:
    """Import a template with one unit in it; return its code."""
    headings = next(csv.reader(io.StringIO(template.decode("utf-8-sig"))))
    wanted = {"code": "TG", "name": "Thanh Giang", "type": "huyen", "from": "01/01/2020"}
    cells = [
        next((wanted[key] for key in wanted if key in heading.lower()), "")
        if "parent" not in heading.lower()
        else ""
        for heading in headings
    ]
    out = io.StringIO()
    csv.writer(out).writerows([headings, cells])
    path = "/api/v1/imports?template=units&apply=true"
    status, answer = server.request("POST", path, out.getvalue(), token=token)
    assert (status, json.loads(answer)["applied"]) == (200, True), answer
    return "TG"


def with_port(token: str, port: int) -> Token:
    """Return the token as if its server had been configured with the port it really got."""
    parsed = parse_token(token)
    address = replace(parsed.addresses[0], port=port)
    return replace(parsed, addresses=(address,))


async def test_every_error_is_told_in_one_shape_in_either_language(api: Api) -> None:
    async with api.client() as client:
        vietnamese = await client.get("/api/v1/me")
        english = await client.get("/api/v1/me", headers={"Accept-Language": "fr, en;q=0.8"})
        broken = await client.post(
            "/api/v1/login", content=b"{", headers={"Content-Type": "application/json"}
        )
        lacking = await client.post("/api/v1/login", json={"name": "x"})
        reports = await client.get("/api/v1/reports")
        unsigned = await client.post("/api/v1/reports", content=b"x")

    assert vietnamese.headers["content-language"] == "vi"
    assert english.json()["title"] == "Not signed in"
    assert "thiếu trường `password`" in lacking.json()["detail"]
    assert "JSON bị cắt ngang" in broken.json()["detail"]
    for answer in (vietnamese, english, broken, lacking, reports, unsigned):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) == {"type", "title", "status", "detail", "remedy"}
        assert answer.json()["status"] == answer.status_code
    assert [a.status_code for a in (broken, lacking, reports)] == [400, 400, 405]
    assert (unsigned.status_code, reports.headers["allow"]) == (401, "POST")


async def test_a_body_that_is_too_large_is_refused(api: Api) -> None:
    async with await api.signed_in("it") as client:
        answer = await client.post(
            "/api/v1/imports?template=units", content=b"x" * (20_971_520 + 1)
        )

    assert answer.status_code == 413
    assert "20971520" in answer.json()["detail"]


async def test_what_nobody_foresaw_is_a_number_and_not_a_trace(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret detail")

    async with await api.signed_in("viewer") as client:
        monkeypatch.setattr("kiemke.server.resources.units.fetch_page", fail)
        answer = await client.get("/api/v1/units")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    incident = caplog.records[-1].__dict__["incident"]
    assert incident in answer.json()["detail"]


async def test_the_api_page_needs_no_script_and_nothing_from_afar(api: Api) -> None:
    async with api.client() as client:
        page = await client.get("/api/v1/")
        english = await client.get("/api/v1/?lang=en")
        document = (await client.get("/api/v1/openapi.json")).json()

    assert page.status_code == 200
    assert "<script" not in page.text
    assert "src=" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "Trả lời" in page.text
    assert "Answer" in english.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert {"/api/v1/units", "/api/v1/coverage", "/api/v1/exports/{name}"} <= set(document["paths"])
    assert "/api/v1/reports" not in document["paths"]


async def test_an_import_is_tried_first_and_then_written_with_its_entry(api: Api) -> None:
    async with await api.signed_in("admin") as client:
        file = await client.get("/api/v1/templates/units?format=csv&lang=en")
        bad = await client.post("/api/v1/imports?template=none", content=file.content)
        tried = await client.post(
            "/api/v1/imports?template=units&filename=units.csv", content=file.content
        )
        limited = await (await api.signed_in("it", unit_id=2)).post(
            "/api/v1/imports?template=units", content=file.content
        )

    assert file.headers["content-disposition"] == 'attachment; filename="units.csv"'
    assert bad.status_code == 404
    assert (tried.status_code, tried.json()["applied"]) == (200, False)
    assert limited.status_code == 403


def read_codes(file: httpx.Response) -> list[str]:
    """Return the asset codes of an exported CSV file."""
    cells = [cell for row in csv.reader(io.StringIO(file.text)) for cell in row]
    return [cell for cell in cells if re.fullmatch(r"A\d", cell)]


async def test_an_export_is_streamed_and_written_down(api: Api) -> None:
    async with await api.signed_in("auditor") as client:
        kinds = (await client.get("/api/v1/exports")).json()
        file = await client.get("/api/v1/exports/equipment.csv")
        unknown = await client.get("/api/v1/exports/equipment.exe")
        acts = [entry["act"] for entry in (await client.get("/api/v1/audit")).json()["items"]]
        away = await (await api.signed_in("auditor", unit_id=4)).get(
            "/api/v1/exports/equipment.csv?unit=U2"
        )
        own = await (await api.signed_in("auditor", unit_id=4)).get("/api/v1/exports/equipment.csv")

    assert {"equipment"} <= {kind["name"] for kind in kinds}
    assert file.content.startswith(b"\xef\xbb\xbf")
    assert (unknown.status_code, away.status_code) == (404, 404)
    assert acts[:2] == ["export.end", "export.begin"]
    assert (read_codes(file), read_codes(own)) == (["A1", "A2", "A3"], ["A3"])
