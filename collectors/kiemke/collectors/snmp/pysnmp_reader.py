"""The only door to pysnmp: one engine per credential, raw variables, no MIB look-ups.

Requests go straight to pysnmp's command generators with numeric identifiers (its high-level API
resolves every variable through MIB modules, which costs more than the request itself). Each attempt
is timed on the event loop's monotonic clock, because pysnmp's own timer follows the wall clock and
stands still when that is set back.
"""

import asyncio
import errno
import ipaddress
import math
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdgen
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import auth
from pysnmp.hlapi.v3arch.asyncio.lcd import CommandGeneratorLcdConfigurator
from pysnmp.proto import errind, rfc1905
from pysnmp.proto.rfc1902 import Null, ObjectName

from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import (
    AnswerTooBig,
    AuthRefused,
    BadAnswer,
    PollError,
    PollTimeout,
    Refused,
    Unreachable,
)
from kiemke.collectors.snmp.reader import Oid, Part, Tuning, Value, Walk, format_oid, parse_oid
from kiemke.collectors.snmp.refusals import Refusals, Udp6Target, UdpTarget
from kiemke.collectors.snmp.walk import walk_columns
from kiemke.collectors.trace import Trace, no_trace

AUTH_PROTOCOLS = {
    "MD5": auth.USM_AUTH_HMAC96_MD5,
    "SHA1": auth.USM_AUTH_HMAC96_SHA,
    "SHA224": auth.USM_AUTH_HMAC128_SHA224,
    "SHA256": auth.USM_AUTH_HMAC192_SHA256,
    "SHA384": auth.USM_AUTH_HMAC256_SHA384,
    "SHA512": auth.USM_AUTH_HMAC384_SHA512,
}
PRIVACY_PROTOCOLS = {
    "DES": auth.USM_PRIV_CBC56_DES,
    "AES128": auth.USM_PRIV_CFB128_AES,
    "AES192": auth.USM_PRIV_CFB192_AES,
    "AES256": auth.USM_PRIV_CFB256_AES,
    "AES192-BLUMENTHAL": auth.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES256-BLUMENTHAL": auth.USM_PRIV_CFB256_AES_BLUMENTHAL,
}
REFUSALS = (
    errind.UnknownUserName,
    errind.UnknownSecurityName,
    errind.UnknownCommunityName,
    errind.WrongDigest,
    errind.AuthenticationFailure,
    errind.AuthenticationError,
    errind.UnsupportedSecurityLevel,
    errind.DecryptionError,
)
TOO_BIG, NO_SUCH_NAME, GENERAL_ERROR, NO_ACCESS, AUTHORIZATION_ERROR = 1, 2, 5, 6, 16
NO_VALUE = Null("")
# What silence may mean, by SNMP version: both sides of it cannot be told apart from here.
SILENCE = {
    "1": "device off, address filtered, or community not accepted",
    "2c": "device off, address filtered, or community not accepted",
    "3": "device off, address filtered, or privacy key or protocol wrong",
}

Send = Callable[[Callable[..., None]], None]
# Lets a future end with ConnectionRefusedError while nobody listens where it is awaited from.
Heard = Callable[["asyncio.Future[Any]"], AbstractContextManager[None]]


def _auth_data(credential: Credential) -> Any:  # pysnmp ships no types
    """Return pysnmp's form of a credential."""
    if credential.community is not None:
        community = credential.community.reveal()
        # Most office gear speaks nothing safer than v2c, old printers and UPS nothing but v1.
        model = 0 if credential.version == "1" else 1
        return auth.CommunityData(credential.name, community, mpModel=model)
    given: dict[str, Any] = {}
    if credential.auth_key is not None and credential.auth_protocol is not None:
        given["authKey"] = credential.auth_key.reveal()
        given["authProtocol"] = AUTH_PROTOCOLS[credential.auth_protocol]
    if credential.privacy_key is not None and credential.privacy_protocol is not None:
        given["privKey"] = credential.privacy_key.reveal()
        given["privProtocol"] = PRIVACY_PROTOCOLS[credential.privacy_protocol]
    return auth.UsmUserData(credential.user, **given)  # noqa: S509  (keys are in `given`)


class PysnmpEngines:
    """The engines of one event loop, one per credential name; made when first needed.

    One per credential, because an engine knows one key per SNMPv3 user name, and two credentials may
    share the user name. An engine costs a tenth of a second, so with ``share_v2c`` all communities
    live in one; then no two credentials may hold the same community.
    """

    def __init__(self, *, share_v2c: bool = False) -> None:
        self._share_v2c = share_v2c
        self._engines: dict[str, Any] = {}
        self._addresses: dict[tuple[str, str, int], str] = {}
        self._configurator = CommandGeneratorLcdConfigurator()
        self._refusals = Refusals()

    async def reader(
        self,
        address: str,
        port: int,
        credential: Credential,
        tuning: Tuning,
        *,
        attempt_seconds: float = 2.0,
        attempts: int = 2,
        trace: Trace = no_trace,
    ) -> "PysnmpReader":
        """Return a reader of one device. Raises Unreachable when the kernel has no route to it."""
        target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        check_route(address, port, target)
        key = (credential.name, address, port)
        shared = self._share_v2c and credential.version == "2c"
        engine_name = "" if shared else credential.name
        engine = self._engines.get(engine_name)
        try:
            if engine is None:
                engine = self._engines[engine_name] = SnmpEngine()
            if key not in self._addresses:
                is_v6 = ipaddress.ip_address(address).version == 6
                # pysnmp's own timer only cleans up; the attempts are timed in PysnmpReader.
                place = await (Udp6Target if is_v6 else UdpTarget).create(
                    (address, port), timeout=math.ceil(attempt_seconds) + 1, retries=0
                )
                place.refusals = self._refusals
                name, _ = self._configurator.configure(engine, _auth_data(credential), place)
                self._addresses[key] = name
        except PySnmpError as err:
            raise BadAnswer(target, f"pysnmp cannot use credential {credential.name}") from err
        return PysnmpReader(
            engine,
            self._addresses[key],
            target,
            lambda answer: self._refusals.awaited(address, port, answer),
            tuning,
            version=credential.version,
            context=credential.context,
            attempt_seconds=attempt_seconds,
            attempts=attempts,
            trace=trace,
        )

    def close(self) -> None:
        """Close every socket and timer."""
        for engine in self._engines.values():
            engine.close_dispatcher()
        self._engines.clear()
        self._addresses.clear()


def check_route(address: str, port: int, target: str) -> None:
    """Ask the kernel for a route (a UDP connect sends nothing)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, port))
    except OSError as err:
        reason = errno.errorcode.get(err.errno or 0, "error")
        raise Unreachable(target, f"no route ({reason}): check address and network") from err


class PysnmpReader:
    """One device behind pysnmp: an ``SnmpReader``."""

    def __init__(
        self,
        engine: Any,  # pysnmp.entity.engine.SnmpEngine, which has no types
        address_name: str,
        target: str,
        heard: Heard,
        tuning: Tuning,
        *,
        version: str,
        context: str,
        attempt_seconds: float,
        attempts: int,
        trace: Trace,
    ) -> None:
        self._engine = engine
        self._address_name = address_name
        self._target = target
        self._heard = heard
        self._tuning = tuning
        self._is_v1 = version == "1"
        self._context = context.encode()
        self._silence = SILENCE[version]
        self._attempt_seconds = attempt_seconds
        self._attempts = attempts
        self._trace = trace
        self._answered_at = 0.0

    async def get(self, oids: Sequence[str], deadline: Deadline) -> dict[str, Value]:
        """Return the value of each scalar the device has. Raises PollError."""
        asked, _ = self._tuning.split(oids)
        return await self._get(asked, deadline)

    async def _get(self, oids: Sequence[str], deadline: Deadline) -> dict[str, Value]:
        names = [(ObjectName(parse_oid(oid)), NO_VALUE) for oid in oids]

        def send(answer: Callable[..., None]) -> None:
            cmdgen.GetCommandGenerator().send_varbinds(
                self._engine, self._address_name, None, self._context, names, answer
            )

        status, _, answer = await self._ask("get", {"oids": list(oids)}, send, deadline)
        if self._is_v1 and status == 0 and all(value is None for _, value in answer):
            status = NO_SUCH_NAME  # the library shows v1's refusal of the whole as v2c's of each
        if status in (NO_SUCH_NAME, GENERAL_ERROR):
            # Old agents fail the whole request over one object they lack, and not all of them
            # name the right one: ask for each alone.
            self._trace("request refused", {"oids": list(oids), "status": status})
            if len(oids) == 1:
                if status == NO_SUCH_NAME:
                    self._tuning.miss(oids[0])
                return {}
            found: dict[str, Value] = {}
            for oid in oids:
                found |= await self._get((oid,), deadline)
            return found
        self._raise_status(status)
        by_oid = {oid: value for oid, value in answer if value is not None}
        return {oid: by_oid[parse_oid(oid)] for oid in oids if parse_oid(oid) in by_oid}

    async def walk(
        self,
        columns: Sequence[str],
        deadline: Deadline,
        rows_hint: int | None,
        part: Part | None = None,
    ) -> Walk:
        """Walk the columns side by side. Raises PollError when nothing at all came back."""

        async def bulk(names: Sequence[Oid], rows: int) -> list[tuple[Oid, Value | None]]:
            if self._is_v1:
                return await self._next(names, deadline)
            pairs = [(ObjectName(name), NO_VALUE) for name in names]

            def send(answer: Callable[..., None]) -> None:
                cmdgen.BulkCommandGenerator().send_varbinds(
                    self._engine, self._address_name, None, self._context, 0, rows, pairs, answer
                )

            about: dict[str, object] = {"rows": rows, "from": [format_oid(name) for name in names]}
            status, _, answer = await self._ask("bulk", about, send, deadline)
            self._raise_status(status)
            return answer

        asked, lacking = self._tuning.split(columns)
        walk = await walk_columns(
            bulk,
            asked,
            deadline,
            self._tuning,
            target=self._target,
            rows_hint=rows_hint,
            part=part,
            trace=self._trace,
            answered_at=lambda: self._answered_at,
        )
        walk.cells.update((name, {}) for name in lacking)
        if rows_hint is not None and part is None:
            self._tuning.learn(walk)
        return walk

    async def _next(
        self, names: Sequence[Oid], deadline: Deadline
    ) -> list[tuple[Oid, Value | None]]:
        """Return the next row of each column by v1, which knows neither GETBULK nor an end of one column.

        One column at its end, or an answer too big for the device, fails the whole: halves are asked.
        """
        pairs = [(ObjectName(name), NO_VALUE) for name in names]

        def send(answer: Callable[..., None]) -> None:
            cmdgen.NextCommandGenerator().send_varbinds(
                self._engine, self._address_name, None, self._context, pairs, answer
            )

        about: dict[str, object] = {"from": [format_oid(name) for name in names]}
        status, _, answer = await self._ask("next", about, send, deadline)
        if status in (TOO_BIG, GENERAL_ERROR) or all(value is None for _, value in answer):
            if len(names) > 1:
                half = len(names) // 2
                one = await self._next(names[:half], deadline)
                return one + await self._next(names[half:], deadline)
        if status != NO_SUCH_NAME:
            self._raise_status(status)
        return answer or [(names[0], None)]

    def _raise_status(self, status: int) -> None:
        if status == 0:
            return
        if status == TOO_BIG:
            raise AnswerTooBig(self._target, "the device says the answer is too big")
        if status in (NO_ACCESS, AUTHORIZATION_ERROR):
            raise AuthRefused(self._target, "the device denies access to these objects")
        raise BadAnswer(self._target, f"the device answered with SNMP error status {status}")

    async def _ask(
        self, what: str, about: dict[str, object], send: Send, deadline: Deadline
    ) -> tuple[int, int, list[tuple[Oid, Value | None]]]:
        """Send until an answer comes or the attempts or the time are used up."""
        for attempt in range(1, self._attempts + 1):
            patience_seconds = min(self._attempt_seconds, deadline.left_seconds())
            if patience_seconds <= 0.0:
                break
            deadline.spend()
            begun = time.monotonic()
            try:
                answer = await self._ask_once(send, patience_seconds)
            except TimeoutError:
                outcome: object = "no answer"
            except ConnectionRefusedError:
                outcome = "refused"
            except PollError as err:
                self._trace(what, {**about, "attempt": attempt, "error": err.detail})
                raise
            else:
                outcome = len(answer[2])
            now = time.monotonic()
            spent, self._answered_at = round(now - begun, 4), (begun + now) / 2
            self._trace(what, {**about, "attempt": attempt, "seconds": spent, "answer": outcome})
            if outcome == "refused":
                raise Refused(self._target)
            if outcome != "no answer":
                self._tuning.slowest_seconds = max(self._tuning.slowest_seconds, spent)
                return answer
        raise PollTimeout(
            self._target,
            f"no answer in {self._attempts} tries of {self._attempt_seconds:g} s: {self._silence}",
        )

    async def _ask_once(
        self, send: Send, patience_seconds: float
    ) -> tuple[int, int, list[tuple[Oid, Value | None]]]:
        """Send once and wait. Raises TimeoutError, ConnectionRefusedError, or the engine's PollError."""
        future: asyncio.Future[tuple[Any, int, int, Any]]
        future = asyncio.get_running_loop().create_future()

        def answered(
            _engine: Any, _handle: Any, indication: Any, status: Any, index: Any, pairs: Any, _: Any
        ) -> None:
            # A late answer to an attempt that was given up falls to the ground here.
            if not future.done():
                future.set_result((indication, int(status or 0), int(index or 0), pairs))

        with self._heard(future):
            try:
                send(answered)
            except PySnmpError as err:
                raise BadAnswer(self._target, f"request not sent ({type(err).__name__})") from err
            async with asyncio.timeout(patience_seconds):
                indication, status, index, pairs = await future
        if indication:
            self._raise_indication(indication)
        return status, index, [(tuple(oid), plain(value)) for oid, value in pairs]

    def _raise_indication(self, indication: Any) -> None:
        if isinstance(indication, errind.RequestTimedOut):
            raise TimeoutError
        if isinstance(indication, REFUSALS):
            raise AuthRefused(
                self._target, f"{indication}: check user, keys and protocols of the credential"
            )
        if isinstance(indication, errind.TooBig):
            raise AnswerTooBig(self._target, str(indication))
        raise BadAnswer(self._target, str(indication))


def plain(value: Any) -> Value | None:
    """Return an SNMP value as int, bytes or tuple; None for "no such object" and "end of view"."""
    if isinstance(value, rfc1905.NoSuchObject | rfc1905.NoSuchInstance | rfc1905.EndOfMibView):
        return None
    if isinstance(value, Null):
        return None
    # Octet strings and identifiers come as pyasn1's classes, known by what they can turn into.
    if hasattr(value, "asTuple"):
        return tuple(value)
    if hasattr(value, "asOctets"):
        return bytes(value)
    return int(value)
