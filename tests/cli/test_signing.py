"""Signing in: the root is pinned once, and nothing is said to a server that does not prove itself."""

import json
import stat
from pathlib import Path

import pytest

from kiemke.cli import session
from tests.cli.conftest import Run, sign_in
from tests.support.rest_server import Answer, Asked, RestServer, running_rest_server
from tests.support.terminal import spawn


def _accept(rest: RestServer) -> None:
    def login(asked: Asked) -> Answer:
        given = json.loads(asked.body)
        if given != {"name": "an", "password": "mật khẩu"}:
            return Answer({"title": "Sai", "detail": "sai", "remedy": "thử lại"}, 401)
        return Answer({"token": "kmk_1_s", "expires_at": "2099-01-01T00:00:00Z", "role": "it"})

    rest.answers["POST", "/api/v1/login"] = login
    rest.on("GET", "/me", {"name": "an", "role": "it", "unit": None, "demo": False})


def test_a_right_fingerprint_signs_in_and_pins(
    rest: RestServer, run: Run, config_dir: Path
) -> None:
    """As kiemke-server prints it: upper case, colons."""
    _accept(rest)
    digest = rest.certificates.root_sha256.upper()
    shown = ":".join(digest[i : i + 2] for i in range(0, 64, 2))

    ran = run("login", rest.url, "an", "--fingerprint", shown, stdin="mật khẩu\n")

    assert (ran.code, ran.err) == (0, "")
    kept = session.load(config_dir)
    assert kept is not None
    assert (kept.token, kept.role, kept.ca_sha256) == ("kmk_1_s", "it", digest.lower())
    assert stat.S_IMODE((config_dir / session.FILE_NAME).stat().st_mode) == 0o600
    assert rest.asked[-1].headers["authorization"] == "Bearer kmk_1_s"


def test_a_wrong_fingerprint_sends_no_password(
    rest: RestServer, run: Run, config_dir: Path
) -> None:
    _accept(rest)

    ran = run("login", rest.url, "an", "--fingerprint", "00" * 32, stdin="mật khẩu\n")

    assert ran.code == 1
    assert "dấu vân tay khác" in ran.err
    assert rest.asked == []
    assert session.load(config_dir) is None


def test_nobody_to_ask_means_no_sign_in(rest: RestServer, run: Run) -> None:
    """A script that pins whatever it is shown pins the eavesdropper."""
    ran = run("login", rest.url, "an", stdin="mật khẩu\n")

    assert ran.code == 1
    assert "--fingerprint" in ran.err
    assert rest.asked == []


def test_a_person_is_shown_the_fingerprint_and_types_the_password_unseen(
    rest: RestServer, config_dir: Path
) -> None:
    _accept(rest)
    digest = rest.certificates.root_sha256.upper()

    with spawn(["login", rest.url, "an"], config_dir) as terminal:
        terminal.wait_for("[y/N]")
        assert digest[:2] + ":" + digest[2:4] in terminal.text
        terminal.type("y\n")
        terminal.wait_for("Mật khẩu")
        terminal.type("mật khẩu\n")
        code = terminal.end()

    assert code == 0
    assert "mật khẩu\r" not in terminal.text
    assert session.load(config_dir) is not None


def test_saying_no_leaves_nothing(rest: RestServer, config_dir: Path) -> None:
    with spawn(["login", rest.url, "an"], config_dir) as terminal:
        terminal.wait_for("[y/N]")
        terminal.type("n\n")
        code = terminal.end()

    assert code == 130
    assert session.load(config_dir) is None


def test_a_wrong_password_is_exit_3_in_the_servers_words(rest: RestServer, run: Run) -> None:
    _accept(rest)
    rest.answers["POST", "/api/v1/login"] = Answer(
        {"title": "Sai tên", "detail": "hoặc mật khẩu", "remedy": "Thử lại"}, 401
    )

    ran = run("login", rest.url, "an", "--fingerprint", rest.certificates.root_sha256, stdin="x\n")

    assert ran.code == 3
    assert "Lỗi: Sai tên: hoặc mật khẩu" in ran.err
    assert "Cách xử lý: Thử lại" in ran.err


def test_another_server_at_the_address_is_refused_before_the_token_is_sent(
    rest: RestServer, run: Run, config_dir: Path, tmp_path: Path
) -> None:
    with running_rest_server(tmp_path / "other") as other:
        sign_in(rest, config_dir)
        kept = session.load(config_dir)
        assert kept is not None
        text = (config_dir / session.FILE_NAME).read_text("utf-8")
        (config_dir / session.FILE_NAME).write_text(text.replace(rest.url, other.url), "utf-8")

        ran = run("me")

        assert ran.code == 1
        assert "chứng thư gốc đã ghim" in ran.err
        assert other.asked == []


def test_a_certificate_of_the_right_root_for_another_name_is_refused(
    run: Run, config_dir: Path, tmp_path: Path
) -> None:
    """The address may be anything; the fixed name in the certificate is what is checked."""
    with running_rest_server(tmp_path / "named", name="127.0.0.1") as named:
        sign_in(named, config_dir)

        ran = run("me")

        assert ran.code == 1
        assert named.asked == []


def test_plain_http_is_for_this_machine_only(run: Run) -> None:
    ran = run("login", "http://10.1.0.5", "an", stdin="x\n")

    assert ran.code == 1
    assert "https://" in ran.err


@pytest.mark.parametrize("url", ["https://", "ftp://x", "https://a:b@c", "https://x:99999"])
def test_what_is_no_address_is_said_to_be_none(url: str, run: Run) -> None:
    ran = run("login", url, "an", stdin="x\n")

    assert ran.code == 1
    assert "không phải là địa chỉ máy chủ" in ran.err


def test_nobody_listening_is_an_error_with_a_remedy(run: Run) -> None:
    ran = run("login", "https://127.0.0.1:9", "an", "--fingerprint", "00", stdin="x\n")

    assert ran.code == 1
    assert "không kết nối được máy chủ" in ran.err
    assert "Cách xử lý" in ran.err


def test_signing_out_ends_the_token_at_the_server_too(
    signed_in: RestServer, run: Run, config_dir: Path
) -> None:
    signed_in.on("DELETE", "/me/session", None, 204)

    assert run("logout").code == 0

    assert [(a.method, a.path) for a in signed_in.asked] == [("DELETE", "/api/v1/me/session")]
    assert session.load(config_dir) is None
    assert run("logout").code == 3


def test_a_broken_session_file_is_said_to_be_one(run: Run, config_dir: Path) -> None:
    config_dir.mkdir()
    (config_dir / session.FILE_NAME).write_text('{"server": 1}', "utf-8")

    ran = run("me")

    assert ran.code == 1
    assert str(config_dir / session.FILE_NAME) in ran.err
    assert run("logout").code == 0


def test_me_shows_who_and_where(signed_in: RestServer, run: Run) -> None:
    signed_in.on(
        "GET", "/me", {"name": "an", "role": "it", "unit": {"name": "Huyện"}, "demo": False}
    )

    shown = run("me").out

    assert "cán bộ CNTT" in shown
    assert signed_in.url in shown
    assert json.loads(run("me", "--json").out)["role"] == "it"
