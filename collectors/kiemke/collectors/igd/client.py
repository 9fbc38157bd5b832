"""A modem's own word on its line by UPnP-IGD (InternetGatewayDevice:1 and :2).

Only the one configured address is spoken to: the search goes to it alone (unicast, UPnP Device
Architecture 1.1 section 1.3.2), and every URL in its answers must name it. Nothing but questions is sent,
answers are bounded, a redirection is not followed, and XML with declarations of its own is refused.
"""

import asyncio
import contextlib
import http.client
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import BadAnswer, PollTimeout, Unreachable
from kiemke.collectors.trace import Trace, no_trace

SSDP_PORT = 1900
SEARCHED = (
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    "upnp:rootdevice",
)
MOST_OCTETS = 262_144
ATTEMPT_SECONDS = 3.0
COMMON = "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1"
CONNECTIONS = re.compile(r"urn:schemas-upnp-org:service:WAN(IP|PPP)Connection:[12]$")
SERVICE_KEYS = ("serviceType", "controlURL")
DEVICE_KEYS = ("friendlyName", "manufacturer", "modelName", "modelNumber", "serialNumber")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a modem's description says: texts by DEVICE_KEYS, and where its services are asked.

    ``connections`` are services by type; the first that answers tells how long the line has been up.
    """

    about: Mapping[str, str]
    common: str
    connections: tuple[tuple[str, str], ...]


def check_url(text: str, address: str) -> SplitResult:
    """Return a URL that stays at the gateway. Raises ValueError."""
    url = urlsplit(text)
    host = url.hostname or ""
    if url.scheme != "http" or url.username or len(text) > 1000 or not text.isprintable():
        raise ValueError("is no plain http URL")
    if ipaddress.ip_address(host) != ipaddress.ip_address(address):
        raise ValueError("leads away from the gateway")
    if not 1 <= (url.port or 80) <= 65_535:
        raise ValueError("has no usable port")
    return url


def read_location(answer: bytes, address: str) -> str:
    """Return where the description is, from an answer to the search. Raises ValueError."""
    head, *lines = answer[:4096].decode("latin-1").split("\r\n")
    if not head.startswith("HTTP/1.1 200"):
        raise ValueError("is no answer to a search")
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip().upper() == "LOCATION":
            check_url(value.strip(), address)
            return value.strip()
    raise ValueError("names no LOCATION")


def parse_xml(data: bytes) -> ElementTree.Element:
    """Return the root of a document without declarations of its own. Raises ValueError."""
    if re.search(rb"<!(DOCTYPE|ENTITY)", data, re.IGNORECASE) or b"\0" in data:
        raise ValueError("XML with declarations of its own, or in an encoding not spoken here")
    try:
        return ElementTree.fromstring(data)  # noqa: S314  # no entities: see above
    except (ElementTree.ParseError, LookupError, RecursionError) as err:
        raise ValueError("broken XML") from err


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def read_description(data: bytes, location: str, address: str) -> Gateway:
    """Return a modem's services from its description. Raises ValueError."""
    root = parse_xml(data)
    base = next((e.text or "" for e in root if _local(e.tag) == "URLBase"), "").strip() or location
    services: dict[str, str] = {}
    for element in root.iter():
        if _local(element.tag) == "service":
            told = {_local(each.tag): (each.text or "").strip() for each in element}
            kind, control = (told.get(key, "") for key in SERVICE_KEYS)
            if kind and control:
                services.setdefault(kind, urljoin(base, control))
    if COMMON not in services:
        raise ValueError("has no WANCommonInterfaceConfig")
    for kind, url in services.items():
        if kind == COMMON or CONNECTIONS.match(kind):
            check_url(url, address)
    device = next((e for e in root if _local(e.tag) == "device"), None)
    about = {} if device is None else {_local(e.tag): (e.text or "").strip() for e in device}
    return Gateway(
        {key: about[key][:200] for key in DEVICE_KEYS if about.get(key)},
        services[COMMON],
        tuple((kind, url) for kind, url in services.items() if CONNECTIONS.match(kind)),
    )


def read_result(data: bytes) -> dict[str, str]:
    """Return the arguments of a SOAP answer by name. Raises ValueError, also for a fault."""
    root = parse_xml(data)
    body = next((e for e in root if _local(e.tag) == "Body"), None)
    answer = next(iter(body), None) if body is not None else None
    if answer is None or _local(answer.tag) == "Fault":
        raise ValueError("the gateway refuses the question")
    return {_local(each.tag): (each.text or "").strip() for each in answer}


@contextlib.contextmanager
def _ending_within(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Connect, and close in the end; after ``seconds`` whatever is waited for ends in a TimeoutError.

    The library's own patience begins anew with each octet: a gateway that drips them would hold a thread
    for days.
    """
    begun = time.monotonic()
    is_late = threading.Event()

    def cut(line: socket.socket) -> None:
        is_late.set()
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    try:
        connection.connect()
        left = max(0.0, seconds - (time.monotonic() - begun))
        timer = threading.Timer(left, cut, (connection.sock,))
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, http.client.HTTPException) as err:
            if is_late.is_set():
                raise TimeoutError from err
            raise
        finally:
            timer.cancel()
        if is_late.is_set():
            raise TimeoutError
    finally:
        connection.close()


class IgdClient:
    """Asks one gateway. Every method is bounded by the deadline and raises PollError."""

    def __init__(self, address: str, port: int = SSDP_PORT, trace: Trace = no_trace) -> None:
        self._address = address
        self._port = port
        self._trace = trace

    async def find(self, deadline: Deadline) -> str:
        """Return the URL of the description, by a search sent to the gateway alone."""
        for kind in SEARCHED:
            answer = await self._run("search", kind, deadline, partial(self._search, kind))
            if answer is not None:
                return self._checked(read_location, answer, self._address)
        raise PollTimeout(self._address, "no answer to UPnP: switched off, or no gateway")

    async def describe(self, location: str, deadline: Deadline) -> Gateway:
        """Return what the gateway says of itself."""
        data = await self._fetch(location, None, {}, deadline)
        return self._checked(read_description, data, location, self._address)

    async def ask(self, url: str, service: str, action: str, deadline: Deadline) -> dict[str, str]:
        """Return the answer of one action without arguments."""
        envelope = (
            '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
            f'<u:{action} xmlns:u="{escape(service)}"/></s:Body></s:Envelope>'
        )
        headers = {
            "Content-Type": 'text/xml; charset="utf-8"',
            "SOAPAction": f'"{service}#{action}"',
        }
        data = await self._fetch(url, envelope.encode(), headers, deadline)
        return self._checked(read_result, data)

    def _checked(self, read: Callable[..., Answer], *given: object) -> Answer:
        try:
            return read(*given)
        except ValueError as err:
            raise BadAnswer(self._address, f"UPnP: {err}") from err

    async def _fetch(
        self, url: str, body: bytes | None, headers: Mapping[str, str], deadline: Deadline
    ) -> bytes:
        place = self._checked(check_url, url, self._address)

        def fetch(seconds: float) -> bytes:
            connection = http.client.HTTPConnection(
                self._address, place.port or 80, timeout=seconds
            )
            path = (place.path or "/") + (f"?{place.query}" if place.query else "")
            method = "GET" if body is None else "POST"
            with _ending_within(connection, seconds):
                connection.request(method, path, body, {**headers, "Connection": "close"})
                answer = connection.getresponse()
                data = answer.read(MOST_OCTETS + 1)
            if answer.status not in (200, 500) or len(data) > MOST_OCTETS:
                raise ValueError(f"HTTP {answer.status}, {len(data)} octets")
            return data

        what = headers.get("SOAPAction", "description").rpartition("#")[2].strip('"')
        data = await self._run(what, url, deadline, fetch)
        if data is None:
            raise PollTimeout(self._address, f"UPnP: no answer from {url}")
        return data

    async def _run(
        self, what: str, about: str, deadline: Deadline, work: Callable[[float], bytes | None]
    ) -> bytes | None:
        """Do blocking work in a thread within the time left. Raises PollError; None: no answer."""
        seconds = min(ATTEMPT_SECONDS, deadline.left_seconds())
        if seconds <= 0.0:
            raise PollTimeout(self._address, deadline.why())
        deadline.spend()
        outcome = "no answer"
        try:
            data = await asyncio.to_thread(work, seconds)
            outcome = "no answer" if data is None else f"{len(data)} octets"
        except TimeoutError:
            data = None
        except (http.client.HTTPException, ValueError) as err:
            raise BadAnswer(self._address, f"UPnP: {type(err).__name__} {err}"[:200]) from err
        except OSError as err:
            raise Unreachable(self._address, f"UPnP: {err.strerror or err}") from err
        finally:
            self._trace("upnp", {"ask": what, "of": about, "answer": outcome})
        return data

    def _search(self, kind: str, seconds: float) -> bytes | None:
        host = f"[{self._address}]" if ":" in self._address else self._address
        words = (
            f"M-SEARCH * HTTP/1.1\r\nHOST: {host}:{self._port}\r\n"
            f'MAN: "ssdp:discover"\r\nMX: 1\r\nST: {kind}\r\n\r\n'
        )
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as door:
            door.settimeout(seconds / len(SEARCHED))
            door.connect((self._address, self._port))  # answers of others do not come through
            door.send(words.encode("ascii"))
            try:
                return door.recv(4096)
            except (TimeoutError, ConnectionRefusedError):
                return None
