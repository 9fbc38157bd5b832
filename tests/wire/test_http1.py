"""The HTTP/1.1 connection against a real TLS peer on loopback that answers byte for byte as told."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiemke.wire.http1 import Connection, HttpError, Reply
from kiemke.wire.pin import Address, Pins, pinned_context
from tests.support.tls_server import Certificates, make_certificates

MOST_BYTES = 1000
Ask = Callable[..., Reply]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


@contextmanager
def answering(
    certificates: Certificates, *pieces: bytes, pause_seconds: float = 0.0, hold: bool = False
) -> Iterator[tuple[Address, list[bytes]]]:
    """Take one connection and answer each request with the next piece, then hang up.

    With a pause the piece is dripped byte by byte. ``hold`` keeps silent in place of hanging up.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.leaf_file, certificates.key_file)
    asked: list[bytes] = []
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                plain, _ = listener.accept()
                with context.wrap_socket(plain, server_side=True) as peer:
                    for piece in pieces:
                        asked.append(peer.recv(65536))
                        send(peer, piece)
                    if hold:
                        ended.wait(10)

        def send(peer: ssl.SSLSocket, piece: bytes) -> None:
            if not pause_seconds:
                peer.sendall(piece)
                return
            for byte in piece:
                if ended.wait(pause_seconds):
                    return
                peer.sendall(bytes([byte]))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Address("127.0.0.1", listener.getsockname()[1]), asked
        finally:
            ended.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def connected(
    certificates: Certificates, address: Address, timeout_seconds: float = 5.0
) -> Iterator[Connection]:
    connection = Connection(address, pinned_context(Pins(certificates.root_pem)), timeout_seconds)
    try:
        yield connection
    finally:
        connection.close()


def ask_once(certificates: Certificates, answer: bytes) -> Reply:
    with (
        answering(certificates, answer) as (address, _),
        connected(certificates, address) as connection,
    ):
        return connection.request("POST", "/x", b"body", {"X-A": "1"}, MOST_BYTES)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, b"ab"),
        (b"HTTP/1.1 200\r\ncontent-length:2\r\n\r\nab", 200, b"ab"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 503 Busy\r\nRetry-After: 5\r\n\r\n", 503, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 200, b"a"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2;note=x\r\nab\r\n1\r\nc\r\n0\r\nTrailer: y\r\n\r\n",
            200,
            b"abc",
        ),
    ],
)
def test_every_way_to_end_a_body_is_understood(
    certificates: Certificates, answer: bytes, status: int, body: bytes
) -> None:
    """A proxy in between may choose another way than the server."""
    reply = ask_once(certificates, answer)

    assert (reply.status, reply.body) == (status, body)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"a" * 1001,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 1001,
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"a" * 1000 + b"\r\n1\r\nb",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 9000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_refused(certificates: Certificates, answer: bytes) -> None:
    """An acknowledgement read from half an answer would lose reports."""
    with pytest.raises(HttpError):
        ask_once(certificates, answer)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [b"HTTP/1.1 200 OK", b"\r\n", b"\n", b"\r\n\r\n", b"Content-Length: 3",
                 b"Transfer-Encoding: chunked", b"3", b"abc", b"0", b"Connection: close", b":"]
            ),
            st.binary(max_size=20),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_any_bytes_are_an_answer_or_a_clear_refusal(
    certificates: Certificates, parts: Sequence[bytes]
) -> None:
    try:
        reply = ask_once(certificates, b"".join(parts))
    except HttpError:
        return
    assert 200 <= reply.status <= 999
    assert len(reply.body) <= MOST_BYTES


def test_a_request_says_what_it_must(certificates: Certificates) -> None:
    with (
        answering(certificates, b"HTTP/1.1 204 \r\n\r\n") as (address, asked),
        connected(certificates, address) as connection,
    ):
        connection.request("POST", "/x", b"body", {"X-A": "1"}, MOST_BYTES)

        assert asked == [
            b"POST /x HTTP/1.1\r\nHost: " + str(address).removeprefix("https://").encode()
            + b"\r\nX-A: 1\r\nContent-Length: 4\r\n\r\nbody"
        ]  # fmt: skip


@pytest.mark.parametrize("value", ["a\r\nX-B: 2", "a\n", "é", "\0"])
def test_a_header_that_would_break_its_line_is_not_sent(
    certificates: Certificates, value: str
) -> None:
    """The source's id comes from a file: nobody may add headers by it."""
    with connected(certificates, Address("127.0.0.1", 9)) as connection:
        with pytest.raises(HttpError, match="X-A"):
            connection.request("GET", "/", None, {"X-A": value}, MOST_BYTES)


def test_a_second_request_goes_over_the_same_connection(certificates: Certificates) -> None:
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body for body in (b"1", b"2")]
    with (
        answering(certificates, *answers) as (address, asked),
        connected(certificates, address) as connection,
    ):
        bodies = [connection.request("GET", "/", None, {}, MOST_BYTES).body for _ in answers]

        assert bodies == [b"1", b"2"]
        assert len(asked) == 2


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\nConnection: close", b"HTTP/1.0 200 OK", b"HTTP/1.1 200 OK"]
)
def test_after_an_answer_that_ends_the_connection_it_is_closed(
    certificates: Certificates, said: bytes
) -> None:
    length = b"" if said == b"HTTP/1.1 200 OK" else b"\r\nContent-Length: 0"
    with (
        answering(certificates, said + length + b"\r\n\r\n") as (address, _),
        connected(certificates, address) as connection,
    ):
        connection.request("GET", "/", None, {}, MOST_BYTES)

        assert not connection.is_open


def test_a_silent_server_is_left_after_the_timeout(certificates: Certificates) -> None:
    with (
        answering(certificates, b"HTTP/1.1 200 OK\r\n", hold=True) as (address, _),
        connected(certificates, address, timeout_seconds=0.2) as connection,
        pytest.raises(TimeoutError),
    ):
        # Who waits on is told by the server's end, after seconds: no TimeoutError.
        connection.request("GET", "/", None, {}, MOST_BYTES)


def test_a_server_that_drips_is_left_too(certificates: Certificates) -> None:
    """Each byte comes in time, the answer never: one request in flight would be so for ever."""
    drip = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"a" * 900
    with (
        answering(certificates, drip, pause_seconds=0.02) as (address, _),
        connected(certificates, address, timeout_seconds=0.2) as connection,
        pytest.raises(TimeoutError),
    ):
        # Who waits on is answered whole, after seconds: no TimeoutError.
        connection.request("GET", "/", None, {}, MOST_BYTES)
