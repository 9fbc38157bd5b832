"""The only door to gufo-snmp: the fast path of polling by SNMP v2c and v3.

It asks and reads what a healthy device answers, some thirty times cheaper than pysnmp. Whatever is not
plain (an error status, an agent that goes backwards, a refused key, a value it cannot show as it
travelled) is asked again by pysnmp, so that both differ in nothing but speed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence, Sized
from typing import TypeVar

from gufo.snmp import user as keys
from gufo.snmp._fast import (
    GetIter,
    NoSuchInstance,
    SnmpError,
    SnmpV2cClientSocket,
    SnmpV3ClientSocket,
)

from kiemke.collectors.credentials import Credential
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollError, PollTimeout, Refused
from kiemke.collectors.snmp import oids as known
from kiemke.collectors.snmp.gufo_keys import PRIVACY_KEYS, Users
from kiemke.collectors.snmp.reader import Oid, Part, SnmpReader, Tuning, Value, Walk, parse_oid
from kiemke.collectors.snmp.walk import MAX_ROWS
from kiemke.collectors.trace import Trace, no_trace

# Rows of one column in one answer: 60 counters of 64 bits fit an Ethernet frame.
MOST_ROWS = 60

# What the library says, by a TimeoutError, when ICMP told that nobody listens.
REFUSED = "connection refused"

LAST_ROOT = 2  # identifiers begin with 0, 1 or 2 (X.660)

Slow = Callable[[], Awaitable[SnmpReader]]
Socket = SnmpV2cClientSocket | SnmpV3ClientSocket
Answer = TypeVar("Answer")


class NotPlain(Exception):
    """The answer is not one this path can vouch for; the other one asks again."""


def speaks(credential: Credential) -> bool:
    """Say whether the fast path knows this credential's version and protocols.

    v1 is left to pysnmp: this library walks one column at a time, which by v1 is a question a cell. So
    are contexts of v3: it asks for the whole device alone.
    """
    if credential.context:
        return False
    if credential.version == "2c":
        return True
    return credential.version == "3" and credential.privacy_protocol in (None, *PRIVACY_KEYS)


UNPLAIN = (NotPlain, SnmpError, ValueError, RuntimeError)


class _Column:
    """One column on its way: its iterator, what came, the last row seen."""

    __slots__ = (
        "answers", "cells", "cut", "done", "is_doubtful", "last", "name", "prefix", "rows", "steps",
    )  # fmt: skip

    def __init__(self, name: str, rows: int) -> None:
        self.name = name
        self.prefix = f"{name}."
        self.rows = rows
        self.steps = GetIter(name, rows)
        self.cells: dict[Oid, Value] = {}
        self.answers: list[tuple[Oid, float]] = []
        self.last: Oid = ()
        self.done = False
        self.cut = False
        self.is_doubtful = False

    def take(self, answer: Sequence[tuple[str, object] | None], most: int) -> None:
        """Move on by one answer. Raises NotPlain when the device did not move forward."""
        if not answer:
            self.done = self.is_doubtful = True
        prefix, start, cells, last = self.prefix, len(self.prefix), self.cells, self.last
        for pair in answer:
            if pair is None or not pair[0].startswith(prefix):
                self.done = True
                break
            suffix = tuple(map(int, pair[0][start:].split(".")))
            if suffix <= last or len(cells) >= MAX_ROWS:
                raise NotPlain(f"walk of {self.name} does not move forward")
            value = pair[1]
            kind = type(value)  # most are plain numbers and texts: no call for those
            cells[suffix] = value if kind is int or kind is bytes else plain(self.name, value)  # type: ignore[assignment]
            last = suffix
            if len(cells) >= most:
                self.cut = True
                break
        self.last = last


def plain(name: str, value: object) -> Value:
    """Return a value of the library as int, bytes or tuple. Raises NotPlain for other kinds.

    Addresses and identifiers both come as dotted text: four numbers below 256 are an address, except
    where an identifier is known to stand.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            parts = parse_oid(value)
        except ValueError as err:
            raise NotPlain(f"{name}: not dotted numbers") from err
        if parts[0] > LAST_ROOT and name == known.SYS_OBJECT_ID:
            raise NotPlain(f"{name}: no identifier")  # text written as one: each library guesses
        is_address = len(parts) == 4 and max(parts) < 256 and name != known.SYS_OBJECT_ID
        return bytes(parts) if is_address else parts
    raise NotPlain(f"{name}: {type(value).__name__}")


class GufoReader:
    """One device behind gufo-snmp: an ``SnmpReader`` for one poll. ``slow`` makes the other one."""

    def __init__(
        self,
        target: str,
        credential: Credential,
        users: Users,
        tuning: Tuning,
        slow: Slow,
        *,
        silence: str,
        attempt_seconds: float,
        attempts: int,
        trace: Trace = no_trace,
    ) -> None:
        self._target = target
        self._credential = credential
        self._users = users
        self._tuning = tuning
        self._slow = slow
        self._silence = silence
        self._attempt_seconds = attempt_seconds
        self._attempts = attempts
        self._trace = trace
        self._socket: Socket | None = None
        self._answered_at = 0.0

    async def get(self, oids: Sequence[str], deadline: Deadline) -> dict[str, Value]:
        """Return the value of each scalar the device has. Raises PollError."""
        if not self._tuning.plain:
            return await (await self._slow()).get(oids, deadline)
        wanted = list(oids)
        try:
            socket = await self._open(deadline)
            answer = await self._ask(
                socket,
                "get",
                {"oids": wanted},
                lambda: socket.send_get_many(wanted),
                socket.recv_get_many,
                deadline,
            )
            found = {oid: plain(oid, answer[oid]) for oid in oids if answer.get(oid) is not None}
        except PollTimeout:
            if self._credential.version != "3":
                raise
            # pysnmp tells a refused key from silence.
            return await (await self._leave("no answer")).get(oids, deadline)
        except UNPLAIN as err:
            return await (await self._leave(err)).get(oids, deadline)
        if found:
            return found
        # The library shows an error status as an empty answer; pysnmp can tell them apart.
        found = await (await self._slow()).get(oids, deadline)
        self._tuning.plain = not found
        return found

    async def walk(
        self,
        columns: Sequence[str],
        deadline: Deadline,
        rows_hint: int | None,
        part: Part | None = None,
    ) -> Walk:
        """Walk the columns in turn, some rows of each. Raises PollError when nothing came back."""
        if not self._tuning.plain or (part is not None and part.after):
            return await (await self._slow()).walk(columns, deadline, rows_hint, part)
        asked, lacking = self._tuning.split(columns)
        rows = self._rows_to_ask(rows_hint, part)
        found = [_Column(name, rows) for name in asked]
        problem: PollError | None = None
        try:
            problem = await self._walk(found, deadline, part)
            if problem is None:
                await self._make_sure(found, deadline)
        except (PollTimeout, *UNPLAIN) as err:
            slow = await self._leave(err)
            try:
                return await slow.walk(columns, deadline, rows_hint, part)
            except PollError as worse:
                if not any(column.cells for column in found):
                    raise
                problem = worse
        walk = Walk(
            cells={column.name: column.cells for column in found} | {name: {} for name in lacking},
            reached={column.name: column.last for column in found if not column.done},
            problem=problem,
            answers={column.name: column.answers for column in found},
        )
        if rows_hint is not None and part is None:
            self._tuning.learn(walk)
        return walk

    async def _walk(
        self, found: list[_Column], deadline: Deadline, part: Part | None
    ) -> PollError | None:
        """Bring the columns to their ends; returns why not when the time was over amid them."""
        most = part.most if part is not None else MAX_ROWS
        socket = await self._open(deadline)
        while moving := [column for column in found if not (column.done or column.cut)]:
            for column in moving:
                if deadline.is_over() and any(each.cells for each in found):
                    return PollTimeout(self._target, deadline.why())
                steps = column.steps
                about: dict[str, object] = {"rows": column.rows, "from": [column.name]}
                answer = await self._ask(
                    socket,
                    "bulk",
                    about,
                    lambda steps=steps: socket.send_get_bulk(steps),  # type: ignore[misc]
                    lambda steps=steps: _rest(socket, steps),  # type: ignore[misc]
                    deadline,
                )
                column.take(answer, most)
                column.answers.append((column.last, self._answered_at))
        return None

    async def _make_sure(self, found: list[_Column], deadline: Deadline) -> None:
        """Ask once more behind columns that ended with an empty answer. Raises NotPlain, PollError.

        The library shows an error status as an end.
        """
        for after in {column.last for column in found if column.is_doubtful}:
            names = [each.name for each in found if each.is_doubtful and each.last == after]
            rest = await (await self._slow()).walk(names, deadline, 1, Part(1, after))
            if rest.problem is not None or any(rest.cells.values()):
                raise NotPlain("an error that looks like an end")

    def _rows_to_ask(self, rows_hint: int | None, part: Part | None) -> int:
        tuning = self._tuning
        rows = MOST_ROWS if tuning.max_repetitions >= tuning.ceiling else tuning.max_repetitions
        if rows_hint is not None:
            rows = min(rows, max(2, rows_hint + 1))
        return max(1, rows if part is None else min(rows, part.most))

    async def _leave(self, because: object) -> SnmpReader:
        """Take the other path for the rest of this device's polls of this run."""
        self._trace("slow path", {"because": str(because) or type(because).__name__})
        self._tuning.plain = False
        return await self._slow()

    async def _open(self, deadline: Deadline) -> Socket:
        """Return this poll's socket; for v3 after the device told its engine and its time."""
        if self._socket is not None:
            return self._socket
        community = self._credential.community
        if community is not None:
            self._socket = SnmpV2cClientSocket(self._target, community.reveal(), 0, 0, 0, 0)
            return self._socket
        user = self._users.get(self._credential)
        default = keys.User.default()
        socket = SnmpV3ClientSocket(
            self._target,
            b"",
            default.name,
            default.get_auth_alg(),
            default.get_auth_key(),
            default.get_priv_alg(),
            default.get_priv_key(),
            0,
            0,
            0,
            0,
        )
        await self._ask(socket, "engine", {}, socket.send_refresh, socket.recv_refresh, deadline)
        socket.set_keys(
            user.name,
            user.get_auth_alg(),
            user.get_auth_key(),
            user.get_priv_alg(),
            user.get_priv_key(),
        )
        if user.require_auth():
            await self._ask(socket, "time", {}, socket.send_refresh, socket.recv_refresh, deadline)
        self._socket = socket
        return socket

    async def _ask(
        self,
        socket: Socket,
        what: str,
        about: dict[str, object],
        send: Callable[[], None],
        receive: Callable[[], Answer],
        deadline: Deadline,
    ) -> Answer:
        """Send until an answer comes or the attempts or the time are used up. Raises PollTimeout."""
        for attempt in range(1, self._attempts + 1):
            patience_seconds = min(self._attempt_seconds, deadline.left_seconds())
            if patience_seconds <= 0.0:
                break
            deadline.spend()
            begun = time.monotonic()
            answer: Answer | None = None
            try:
                send()
                answer = await _receive(socket.get_fd(), receive, patience_seconds)
                outcome: object = len(answer) if isinstance(answer, Sized) else "ok"
            except NoSuchInstance as err:
                raise NotPlain("no such object") from err
            except (OSError, TimeoutError) as err:
                outcome = "refused" if REFUSED in str(err).lower() else "no answer"
            now = time.monotonic()
            spent, self._answered_at = round(now - begun, 4), (begun + now) / 2
            self._trace(what, {**about, "attempt": attempt, "seconds": spent, "answer": outcome})
            if outcome == "refused":
                raise Refused(self._target)
            if outcome != "no answer":
                self._tuning.slowest_seconds = max(self._tuning.slowest_seconds, spent)
                return answer  # type: ignore[return-value]  # refreshing answers None
        raise PollTimeout(
            self._target,
            f"no answer in {self._attempts} tries of {self._attempt_seconds:g} s: {self._silence}",
        )


def _rest(socket: Socket, steps: GetIter) -> list[tuple[str, object] | None]:
    """Return the next rows of a column; none are its end, which the library tells by an exception."""
    try:
        return list(socket.recv_get_bulk(steps))
    except StopAsyncIteration:
        return []


async def _receive(fd: int, receive: Callable[[], Answer], patience_seconds: float) -> Answer:
    """Return the answer to the last question; others are left aside. Raises TimeoutError, OSError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(patience_seconds):
        while True:
            ready: asyncio.Future[None] = loop.create_future()
            loop.add_reader(fd, _wake, ready)
            try:
                await ready
            finally:
                loop.remove_reader(fd)
            try:
                return receive()
            except BlockingIOError:
                continue
            except (Exception, asyncio.CancelledError):
                raise
            except BaseException as err:
                # The library's parser panics over some garbled answers.
                if type(err).__name__ != "PanicException":
                    raise
                raise NotPlain("garbled answer") from err


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
