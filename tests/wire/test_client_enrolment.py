"""Enrolment: the pasted token, the two connections, and who is refused before a secret is told."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.wire import enrolment
from kiemke.wire.enrolment import EnrolmentError, make_token, parse_token
from kiemke.wire.pin import PinError, Pins, der_sha256, parse_address, pinned_context
from tests.support.peers import free_port
from tests.support.tls_server import Requests, make_certificates, tls_server

HASH = "ab" * 32


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Requests]:
    with tls_server(make_certificates(tmp_path / "ca")) as seen:
        yield seen


def token_for(server: Requests, *urls: str) -> str:
    return make_token(urls or (server.url,), "T1", "dG9rZW4", server.certificates.root_sha256)


def test_a_token_says_servers_id_secret_and_root() -> None:
    token = parse_token(make_token(("https://10.1.0.5:8443", "https://kk.xa.vn"), "T7", "s", HASH))

    assert [str(address) for address in token.addresses] == [
        "https://10.1.0.5:8443",
        "https://kk.xa.vn:8443",
    ]
    assert (token.id, token.secret, token.ca_sha256) == ("T7", "s", HASH)


def test_a_token_broken_over_lines_by_a_mail_program_is_still_one() -> None:
    text = make_token(("https://10.1.0.5:8443",), "T7", "secret", HASH)

    assert parse_token(f"  {text[:20]}\n {text[20:60]}\r\n{text[60:]}\n") == parse_token(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "T7",
        "a.b.c",
        make_token(("https://10.1.0.5",), "T7", "s", HASH)[:-1],  # the last letter was not copied
        make_token(("https://10.1.0.5",), "T7", "s", "z" * 64),
        make_token(("http://10.1.0.5",), "T7", "s", HASH),  # not https
        make_token(("https://10.1.0.5/path",), "T7", "s", HASH),
        make_token(("https://a", "https://b", "https://c", "https://d"), "T7", "s", HASH),
        "//.T7.s." + HASH,
        base64.urlsafe_b64encode(b"\xff\xfe").decode() + ".T7.s." + HASH,
    ],
)
def test_a_damaged_token_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(EnrolmentError, match=r"copy|server"):
        parse_token(text)


@given(st.text(max_size=300))
def test_any_text_is_a_token_or_a_clear_refusal(text: str) -> None:
    try:
        token = parse_token(text)
    except EnrolmentError as err:
        assert str(err)
    else:
        assert 1 <= len(token.addresses) <= 3


def test_enrolment_tells_the_server_what_it_must_know_and_no_more(server: Requests) -> None:
    """The sender's own secret never leaves the machine; only its hash does."""
    answer = enrolment.enrol(parse_token(token_for(server)), "1f" * 16, "own-secret", "collector")

    (said,) = server.enrolments
    assert answer.source == "src-1f1f1f1f"
    assert answer.state == "pending"
    assert answer.pins == Pins(server.certificates.root_pem)
    assert said.pop("hostname")
    assert said == {
        "token": "T1",
        "token_secret": "dG9rZW4",
        "install_id": "1f" * 16,
        "secret_sha256": hashlib.sha256(b"own-secret").hexdigest(),
        "kind": "collector",
    }


def test_a_server_with_another_root_never_sees_the_tokens_secret(
    server: Requests, tmp_path: Path
) -> None:
    """Whoever answers first on the LAN must not learn the secret that admits machines."""
    with tls_server(make_certificates(tmp_path / "other")) as impostor:
        token = parse_token(
            make_token((impostor.url,), "T1", "dG9rZW4", server.certificates.root_sha256)
        )
        with pytest.raises(EnrolmentError, match="not the server this token was made for"):
            enrolment.enrol(token, "1f" * 16, "own-secret", "agent")

        assert impostor.enrolments == []


def test_a_server_that_shows_the_right_root_but_is_not_proved_by_it_is_refused(
    server: Requests, tmp_path: Path
) -> None:
    """The root is public: showing it proves nothing."""
    with tls_server(make_certificates(tmp_path / "other")) as impostor:
        impostor.certificates = server.certificates
        token = parse_token(token_for(server, impostor.url))
        with pytest.raises(EnrolmentError, match="certificate verify failed"):
            enrolment.enrol(token, "1f" * 16, "own-secret", "agent")

        assert impostor.enrolments == []


def test_a_dead_first_address_does_not_matter(server: Requests) -> None:
    dead = f"https://127.0.0.1:{free_port()}"

    answer = enrolment.enrol(
        parse_token(token_for(server, dead, server.url)), "1f" * 16, "s", "agent"
    )

    assert answer.state == "pending"


def test_no_server_at_all_is_named() -> None:
    port = free_port()
    token = parse_token(make_token((f"https://127.0.0.1:{port}",), "T1", "s", HASH))

    with pytest.raises(EnrolmentError, match=str(port)):
        enrolment.enrol(token, "1f" * 16, "s", "agent")


def test_secrets_made_are_long_and_never_the_same() -> None:
    made = {enrolment.new_secret() for _ in range(50)}

    assert len(made) == 50
    assert all(len(base64.urlsafe_b64decode(one + "=")) == 32 for one in made)
    assert len(bytes.fromhex(enrolment.new_install_id())) == 16


def test_a_token_does_not_show_its_secret_when_printed() -> None:
    assert "s3cret" not in repr(parse_token(make_token(("https://a",), "T7", "s3cret", HASH)))


def test_what_is_no_certificate_is_refused_as_such() -> None:
    with pytest.raises(PinError):
        der_sha256("hello")
    with pytest.raises(PinError):
        pinned_context(Pins("hello"))


def test_an_ipv6_address_keeps_its_brackets() -> None:
    assert str(parse_address("https://[fd00::5]:9443")) == "https://[fd00::5]:9443"
