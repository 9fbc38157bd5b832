"""Checks of the way to the server: name, line, certificate, admission, clock. It sends no report.

Each address of the enrolment is tried; one that is good is enough.
"""

import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.request import getproxies

from kiemke.agent.commands.status import CLOCK, CLOCK_WRONG_SECONDS
from kiemke.agent.doctor.result import BAD, GOOD, ODD, UNKNOWN, Result
from kiemke.agent.state import AgentIdentity
from kiemke.agent.tongue import in_tongue
from kiemke.agent.words import Both, span, speak
from kiemke.wire import __version__
from kiemke.wire.client import clock_offset
from kiemke.wire.dates import read_http_date
from kiemke.wire.http1 import Connection, HttpError, Reply
from kiemke.wire.pin import Address, PinError, Pins, pinned_context

DEADLINE_SECONDS = 8.0
MOST_BYTES = 65_536
# A request that a server answers to whoever it knows, and that changes nothing.
ASKED = f"/api/v1/agent-update?system=debian-amd64&version={__version__}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one address; ``offset_seconds`` is the server's clock less ours."""

    address: Address
    names: tuple[str, ...] = ()
    dns_error: str = ""
    line_error: str = ""
    tls_error: str = ""
    status: int | None = None
    offset_seconds: float | None = None


def try_address(address: Address, identity: AgentIdentity) -> Tried:
    """Return how far an address lets us: name, line, certificate, answer."""
    names, error = _resolve(address.host)
    if not names:
        return Tried(address, dns_error=error)
    line_error = _reach(names[0], address.port)
    if line_error:
        return Tried(address, names, line_error=line_error)
    pins = Pins(identity.ca_current_pem or "", identity.ca_next_pem)
    try:
        connection = Connection(address, pinned_context(pins), DEADLINE_SECONDS)
    except PinError as err:
        return Tried(address, names, tls_error=str(err))
    headers = {
        "Authorization": f"Bearer {identity.secret}",
        "X-Kiemke-Source": identity.source or "",
    }
    sent_at = time.time()
    try:
        reply = connection.request("GET", ASKED, None, headers, MOST_BYTES)
    except ssl.SSLCertVerificationError as err:
        return Tried(address, names, tls_error=err.verify_message)
    except (OSError, HttpError) as err:
        return Tried(address, names, tls_error=str(err) or type(err).__name__)
    finally:
        connection.close()
    return Tried(address, names, status=reply.status, offset_seconds=_offset(reply, sent_at))


def _offset(reply: Reply, sent_at: float) -> float | None:
    """Return the server's clock less ours, None when the answer names no time."""
    told = read_http_date(reply.headers.get("date", ""))
    return None if told is None else clock_offset(told, sent_at, time.time())


def _resolve(host: str) -> tuple[tuple[str, ...], str]:
    """Return the addresses of a name, or why there are none; a resolver that hangs is given up."""
    try:
        return (str(ipaddress.ip_address(host)),), ""
    except ValueError:
        pass
    found: list[tuple[str, ...]] = []
    failed: list[str] = []

    def ask() -> None:
        try:
            told = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found.append(tuple(dict.fromkeys(str(one[4][0]) for one in told)))
        except OSError as err:
            failed.append(err.strerror or str(err))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(DEADLINE_SECONDS)
    if found:
        return found[0], ""
    return (), failed[0] if failed else speak(Both("không trả lời", "no answer"))


def _reach(host: str, port: int) -> str:
    """Return why no connection comes about, "" when one does."""
    try:
        socket.create_connection((host, port), DEADLINE_SECONDS).close()
    except OSError as err:
        return err.strerror or str(err)
    return ""


def check_network(identity: AgentIdentity, addresses: tuple[Address, ...]) -> list[Result]:
    """Return the lines about the network, from the name to the clock."""
    tried = [try_address(address, identity) for address in addresses]
    best = max(tried, key=_how_far)
    return [
        _dns(tried), _proxy(best), _line(tried, best), _tls(best), _admission(best, identity), _clock(best),
    ]  # fmt: skip


def _how_far(one: Tried) -> int:
    if one.status is not None:
        return 3
    return 2 if one.tls_error else 1 if one.line_error else 0


def _dns(tried: list[Tried]) -> Result:
    """Return whether every address's name is known."""
    lost = [one for one in tried if one.dns_error]
    if not lost:
        seen = ", ".join(f"{one.address.host} → {one.names[0]}" for one in tried)
        return Result("dns", GOOD, seen)
    seen = "; ".join(f"{one.address.host}: {in_tongue(one.dns_error)}" for one in lost)
    remedy = speak(
        Both(
            "xem máy chủ DNS của mạng này có biết tên đó không, hoặc dùng địa chỉ IP: "
            "kiemke-agent server --first https://IP:CỔNG",
            "see that this network's DNS knows the name, or use an IP address: "
            "kiemke-agent server --first https://IP:PORT",
        )
    )
    return Result("dns", BAD if len(lost) == len(tried) else ODD, seen, remedy)


def _proxy(best: Tried) -> Result:
    """Return whether this PC is set to use a proxy, which the agent does not."""
    found = getproxies()
    proxy = found.get("https") or found.get("http")
    if not proxy:
        return Result("proxy", GOOD, speak(Both("không đặt", "none is set")))
    seen = speak(
        Both("{proxy} (tác tử không dùng)", "{proxy} (the agent does not use it)"), proxy=proxy
    )
    if not best.line_error:
        return Result("proxy", GOOD, seen)
    remedy = speak(
        Both(
            "xin mở đường đi thẳng tới {address}: qua proxy thì không kiểm được chứng thư",
            "have a direct way to {address} opened: through a proxy the certificate proves nothing",
        ),
        address=best.address,
    )
    return Result("proxy", ODD, seen, remedy)


def _line(tried: list[Tried], best: Tried) -> Result:
    """Return whether a connection comes about."""
    if best.dns_error:
        return Result("line", UNKNOWN, speak(Both("chưa thử được", "not tried")))
    if best.line_error:
        seen = "; ".join(
            f"{one.address}: {in_tongue(one.line_error)}" for one in tried if one.line_error
        )
        remedy = speak(
            Both(
                "xem dây mạng, tường lửa, và máy chủ có chạy không (kiemke-server check)",
                "see to cable and firewall, and that the server runs (kiemke-server check)",
            )
        )
        return Result("line", BAD, seen, remedy)
    return Result(
        "line", GOOD, speak(Both("{address} nhận", "{address} answers"), address=best.address)
    )


def _tls(best: Tried) -> Result:
    """Return whether what answers is proved by the root known here."""
    if best.status is not None:
        seen = speak(Both("đúng máy chủ đã ghi danh", "it is the server of the enrolment"))
        return Result("tls", GOOD, seen)
    if not best.tls_error:
        return Result("tls", UNKNOWN, speak(Both("chưa thử được", "not tried")))
    remedy = speak(
        Both(
            "nếu có thiết bị chặn giữa đường (tường lửa soi TLS), xin ngoại lệ cho địa chỉ này; nếu máy "
            "chủ đã đổi chứng thư gốc, xin mã mới: kiemke-agent enroll --repin MÃ",
            "if a device in between opens TLS (an inspecting firewall), have this address excepted; if the "
            "server's root was changed, ask for a new token: kiemke-agent enroll --repin TOKEN",
        )
    )
    return Result("tls", BAD, f"{best.address}: {in_tongue(best.tls_error)}", remedy)


_REFUSED = {
    401: Both(
        "máy chủ không biết máy này; ghi danh lại", "the server does not know it; enrol again"
    ),
    409: Both(
        "hai máy báo cáo dưới một tên: ghi danh lại máy này với thư mục mới",
        "two machines report as one: enrol this one again with a fresh state folder",
    ),
    403: Both("đã bị thu hồi; hỏi quản trị viên", "it was revoked; ask the administrator"),
}


def _admission(best: Tried, identity: AgentIdentity) -> Result:
    """Return whether the server knows this install by its secret."""
    if best.status is None:
        return Result("admission", UNKNOWN, speak(Both("chưa thử được", "not tried")))
    seen = speak(Both("máy chủ trả lời {n}", "the server answered {n}"), n=best.status)
    if not identity.secret:
        seen = speak(Both("chỉ dịch vụ biết bí mật", "the service alone knows the secret"))
        return Result("admission", UNKNOWN, seen)
    if best.status in _REFUSED:
        return Result("admission", BAD, seen, speak(_REFUSED[best.status]))
    if best.status >= 500:
        remedy = speak(Both("xem nhật ký của máy chủ", "see the server's log"))
        return Result("admission", BAD, seen, remedy)
    return Result("admission", GOOD, seen)


def _clock(best: Tried) -> Result:
    """Return how far the clocks are apart; reports arrive all the same."""
    offset = best.offset_seconds
    if offset is None:
        return Result("clock", UNKNOWN, speak(Both("chưa so được", "not compared")))
    if abs(offset) <= CLOCK_WRONG_SECONDS:
        seen = speak(
            Both("lệch {n:+.0f} giây so với máy chủ", "{n:+.0f} s to the server's"), n=0.0 - offset
        )
        return Result("clock", GOOD, seen)
    remedy = speak(
        Both(
            "chỉnh giờ, thay pin CMOS nếu máy quên giờ sau khi tắt, bật đồng bộ thời gian",
            "set it; replace the board's battery if it forgets the time; switch on time synchronisation",
        )
    )
    return Result("clock", ODD, speak(CLOCK[offset > 0], span=span(offset)).rstrip("."), remedy)
