"""The way to the server: one kept-alive connection to the first address that answers and is proved.

The root in use is tried alone first. Only when it does not prove a server is the next root tried,
alone too: so it is always known which of them proved a channel, and the first channel that the next
root proves makes it the one in use.
"""

import ssl
from collections.abc import Callable, Sequence

from kiemke.wire.http1 import Connection, HttpError, Reply
from kiemke.wire.pin import Address, Pins, pinned_context

MAX_ANSWER_BYTES = 4 << 20


class Unreachable(Exception):
    """No address answered; the message says what each one said."""


class Unproven(Unreachable):
    """What answered is not proved by a root we know: another server, or a root we slept through."""


class Link:
    """One kept-alive connection. ``pins`` are those believed now."""

    def __init__(
        self,
        addresses: Sequence[Address],
        pins: Pins,
        timeout_seconds: float,
        on_switch: Callable[[Pins], None] | None = None,
    ) -> None:
        """Prepare; nothing is sent before the first request. Raises PinError for a bad root.

        ``on_switch`` is called with the new pins when the next root has become the one in use.
        """
        self.pins = pins
        self._addresses = tuple(addresses)
        self._context = pinned_context(Pins(pins.current))
        self._timeout_seconds = timeout_seconds
        self._on_switch = on_switch
        self._connection: Connection | None = None
        self.peer: str | None = None  # the IP address of the server that answered last

    def request(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        """Send one request over the open connection, else over a new one to each address in turn.

        Raises Unreachable when none answers, Unproven when one did that we cannot believe. A
        request may thus reach the server twice: what is sent must bear that.
        """
        if self._connection is not None and self._connection.is_open:
            try:
                return self._connection.request(method, path, body, headers, MAX_ANSWER_BYTES)
            except (OSError, HttpError):
                self.close()  # the server closed an idle connection: no news about the server
        reasons = []
        kind = Unreachable
        for address in self._addresses:
            try:
                return self._ask(address, method, path, body, headers)
            except ssl.SSLCertVerificationError as err:
                kind = Unproven
                reasons.append(f"{address}: certificate verify failed: {err.verify_message}")
            except (OSError, HttpError) as err:
                reasons.append(f"{address}: {err or type(err).__name__}")
        raise kind("; ".join(reasons))

    def _ask(
        self, address: Address, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Reply:
        """Send one request over a new connection, proved by the root in use or by the next one.

        Raises OSError (ssl.SSLCertVerificationError: neither proves it) or HttpError.
        """
        connection = Connection(address, self._context, self._timeout_seconds)
        try:
            reply = connection.request(method, path, body, headers, MAX_ANSWER_BYTES)
        except ssl.SSLCertVerificationError:
            if self.pins.next is None:
                raise
            context = pinned_context(Pins(self.pins.next))
            connection = Connection(address, context, self._timeout_seconds)
            reply = connection.request(method, path, body, headers, MAX_ANSWER_BYTES)
            self._context, self.pins = context, Pins(self.pins.next)
            if self._on_switch is not None:
                self._on_switch(self.pins)
        self._connection, self.peer = connection, connection.peer
        return reply

    def learn_next(self, pem: str) -> Pins | None:
        """Believe a root the server announced; return the new pins, None when it is known already.

        Call it only with what came over this link: the root in use has proved that channel. Raises
        PinError when it is no certificate.
        """
        if pem in (self.pins.current, self.pins.next):
            return None
        pinned_context(Pins(pem))
        self.pins = Pins(self.pins.current, pem)
        return self.pins

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
