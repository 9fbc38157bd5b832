"""The server's REST, asked over a connection that proved the pinned root."""

import errno
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import httpx

from kiemke.cli import tls
from kiemke.cli.errors import KiemkeError, NotAllowed, ServerProblem
from kiemke.cli.i18n import _, language
from kiemke.cli.records import Listing, Record, dig, number_at, records_of, text_at

BASE = "/api/v1"
PAGE_ROWS = 1000
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
DEMO_HEADER = "x-kiemke-demo"
# The request left; no whole answer came.
_SENT = (httpx.ReadError, httpx.RemoteProtocolError)
Parameters = Mapping[str, str | int | list[str] | None]


def normal_url(url: str) -> str:
    """Return the server's address without a path; https:// where no scheme was given.

    Raises KiemkeError for another scheme, and for plain HTTP to anything but this machine: the
    password would be readable on the way.
    """
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https") or parts.username:
        raise KiemkeError(
            _("“{url}” is no server address").format(url=url),
            remedy=_("write it as https://10.1.0.5:8443"),
        )
    if parts.scheme == "http" and host not in LOOPBACK:
        raise KiemkeError(
            _("plain HTTP would show your password on the network"),
            where=url,
            remedy=_("use https://"),
        )
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


class Client:
    """One server, one user. Every answer is either data or a KiemkeError.

    ``demo`` turns true when an answer says that the data are fictional; ``clock_offset_seconds`` is
    server minus this machine by the last answer's Date, None before the first one.
    """

    def __init__(self, server: str, ca_pem: str | None, token: str | None) -> None:
        self.server, self.demo = server, False
        self.clock_offset_seconds: float | None = None
        self._http = httpx.Client(
            base_url=server,
            verify=_context(ca_pem),
            timeout=TIMEOUT,
            trust_env=False,  # an office proxy must not see, or break, a pinned connection
            headers={"Accept-Language": language()}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, parameters: Parameters | None = None) -> object:
        """Return the JSON at ``/api/v1`` + path."""
        return self.send("GET", path, parameters=parameters)

    def one(self, noun: str, reference: str, parameters: Parameters | None = None) -> Record:
        """Return the thing of this id or code. Raises ServerProblem(404) when there is none."""
        found = self.get(f"/{noun}/{quote(reference, safe='')}", parameters)
        return found if isinstance(found, Mapping) else {}

    def items(self, path: str, parameters: Parameters | None = None, limit: int = 0) -> Listing:
        """Return up to ``limit`` rows of a list, all of them for 0, however many pages they take."""
        rows: list[Record] = []
        after: str | None = None
        while True:
            page_rows = min(limit - len(rows), PAGE_ROWS) if limit else PAGE_ROWS
            asked = {**(parameters or {}), "limit": page_rows, "after": after}
            found = self.get(path, asked)
            if isinstance(found, list):
                rows.extend(records_of(found))
                return Listing(tuple(rows[:limit] if limit else rows), len(rows))
            rows.extend(records_of(dig(found, "items")))
            following = text_at(found, "next")
            full = bool(limit) and len(rows) >= limit
            # A server that names the same page again would keep us here for ever.
            if following is None or following == after or full:
                return Listing(tuple(rows), number_at(found, "total"))
            after = following

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        body: object = None,
        content: bytes | None = None,
        patience_seconds: float | None = None,
    ) -> object:
        """Return the JSON answered to a request, None for an empty answer. Raises KiemkeError.

        ``patience_seconds`` is for what a server has to read long for.
        """
        headers = {}
        if body is not None:
            content, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        elif content is not None:
            headers = {"Content-Type": "application/octet-stream"}
        try:
            answer = self._http.request(
                method,
                BASE + path,
                params=_given(parameters),
                content=content,
                headers=headers,
                extensions={"sni_hostname": tls.SERVER_NAME},
                timeout=TIMEOUT if patience_seconds is None else patience_seconds,
            )
        except httpx.HTTPError as err:
            raise self._unreachable(err, changing=method != "GET") from err
        self._notice(answer)
        if not answer.is_success:
            raise self._problem(answer)
        return _json(answer) if answer.content else None

    def healthy(self) -> None:
        """Ask /healthz. Raises KiemkeError when the server does not answer well."""
        try:
            answer = self._http.get("/healthz", extensions={"sni_hostname": tls.SERVER_NAME})
        except httpx.HTTPError as err:
            raise self._unreachable(err) from err
        self._notice(answer)
        if not answer.is_success:
            raise self._problem(answer)

    def download(self, path: str, parameters: Parameters | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file as they come. Raises KiemkeError, also when it is cut short."""
        try:
            with self._http.stream(
                "GET",
                BASE + path,
                params=_given(parameters),
                extensions={"sni_hostname": tls.SERVER_NAME},
            ) as answer:
                self._notice(answer)
                if not answer.is_success:
                    answer.read()
                    raise self._problem(answer)
                yield from answer.iter_bytes()
        except httpx.HTTPError as err:
            raise self._unreachable(err) from err

    def _notice(self, answer: httpx.Response) -> None:
        self.demo = self.demo or answer.headers.get(DEMO_HEADER) == "1"
        try:
            told = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError:
            return
        self.clock_offset_seconds = told.timestamp() - time.time()

    def _problem(self, answer: httpx.Response) -> ServerProblem:
        where = f"{answer.request.method} {answer.request.url}"
        told = _json(answer) if "json" in answer.headers.get("content-type", "") else None
        title, detail = text_at(told, "title"), text_at(told, "detail")
        what = ": ".join(part for part in (title, detail) if part)
        if not what:
            what = _("the server answered {status}").format(status=answer.status_code)
        remedy = text_at(told, "remedy")
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            remedy = remedy or _("sign in again: kiemke login")
        refused = answer.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        kind = NotAllowed if refused else ServerProblem
        return kind(answer.status_code, what, where=where, remedy=remedy)

    def _unreachable(self, err: httpx.HTTPError, *, changing: bool = False) -> KiemkeError:
        """Return what to say; of a change that was sent and not answered, that it may have been made."""
        if isinstance(_root_cause(err), ssl.SSLCertVerificationError):
            return KiemkeError(
                _("the server did not prove itself by the pinned root certificate"),
                where=self.server,
                remedy=_(
                    "ask the server's keeper for the fingerprint (kiemke-server ca), then sign in "
                    "again with kiemke login"
                ),
            )
        if isinstance(err, httpx.TimeoutException):
            what = _("the server did not answer in time")
        elif isinstance(err, _SENT):
            what = _("the connection broke off before the server answered")
        else:
            what = _("the server cannot be reached: {reason}").format(reason=_reason(err))
        remedy = _("check the address, the cable and that kiemke-server runs: kiemke doctor")
        if changing and isinstance(err, (*_SENT, httpx.ReadTimeout)):
            remedy = _(
                "whether it was done is not known: look, and type the command again only if it was not"
            )
        return KiemkeError(what, where=self.server, remedy=remedy)


def fetch_root(server: str) -> str:
    """Return the root certificate (PEM) a server shows to anybody. It proves nothing by itself.

    Raises KiemkeError when the server is unreachable or what it shows is no certificate.
    """
    try:
        with (
            httpx.Client(verify=tls.unverified(), timeout=TIMEOUT, trust_env=False) as http,
            http.stream(
                "GET", f"{server}/ca.pem", extensions={"sni_hostname": tls.SERVER_NAME}
            ) as answer,
        ):
            body = b""
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > tls.LONGEST_PEM_BYTES:
                    break
            good = answer.is_success and len(body) <= tls.LONGEST_PEM_BYTES
    except httpx.HTTPError as err:
        raise KiemkeError(
            _("the server cannot be reached: {reason}").format(reason=_reason(err)),
            where=server,
            remedy=_("check the address and that kiemke-server runs there"),
        ) from err
    root = tls.first_certificate(body.decode("ascii", "replace")) if good else None
    try:
        if root is not None:
            tls.pinned(root)  # refuses what is no certificate at all
            return root
    except (ssl.SSLError, ValueError):
        root = None
    raise KiemkeError(
        _("this address shows no root certificate of kiemke"),
        where=f"{server}/ca.pem",
        remedy=_("check the address and that kiemke-server runs there"),
    )


def _context(ca_pem: str | None) -> ssl.SSLContext | bool:
    if ca_pem is None:
        return True
    try:
        return tls.pinned(ca_pem)
    except (ssl.SSLError, ValueError) as err:
        raise KiemkeError(
            _("the pinned root certificate cannot be read"),
            remedy=_("sign in again: kiemke login"),
        ) from err


def _given(parameters: Parameters | None) -> dict[str, str | int | list[str]]:
    return {name: value for name, value in (parameters or {}).items() if value is not None}


def _json(answer: httpx.Response) -> object:
    try:
        found: object = json.loads(answer.content)
    except (ValueError, RecursionError):
        if not answer.is_success:
            return None
        raise KiemkeError(
            _("the server's answer cannot be read"),
            where=str(answer.request.url),
            remedy=_("check that this address is a kiemke server of the same version"),
        ) from None
    return found


def _reason(err: BaseException) -> str:
    """Return why no connection came about, in the user's language where it is a usual reason."""
    cause = _root_cause(err)
    if isinstance(cause, ConnectionRefusedError):
        return _("nothing listens at this address")
    if isinstance(cause, socket.gaierror):
        return _("no machine of this name is known")
    if isinstance(cause, OSError) and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return _("there is no way to this address")
    return str(err)


def _root_cause(err: BaseException) -> BaseException:
    while (cause := err.__cause__ or err.__context__) is not None:
        err = cause
    return err
