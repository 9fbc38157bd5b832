"""Every error a collector raises; a poll error knows which outcome it becomes on the wire."""


class CollectorError(Exception):
    """Something the operator can act on; the text says what, where and what to do."""


class ConfigError(CollectorError):
    """A file or an argument given by the operator is not usable."""


class NotEnrolledError(ConfigError):
    """This collector has no server yet; only a person with a token can change that."""


class RevokedError(NotEnrolledError):
    """The server has shut this collector out for good."""


class AssignmentError(CollectorError):
    """The assignment could not be fetched, or holds something this collector refuses.

    ``status`` is what the server answered, None when it was not asked or did not answer.
    """

    def __init__(self, text: str, *, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class PollError(CollectorError):
    """One request to one target failed. ``outcome`` is one of ``kiemke.wire.report.POLL_OUTCOMES``."""

    outcome = "error"

    def __init__(self, target: str, detail: str) -> None:
        super().__init__(f"{target}: {detail}")
        self.target = target
        self.detail = detail


class PollTimeout(PollError):
    """No answer within the time allowed (also what a wrong v2c community looks like)."""

    outcome = "timeout"


class AuthRefused(PollError):
    """The device refused the SNMPv3 user, key or privacy."""

    outcome = "auth"


class Unreachable(PollError):
    """The kernel has no route to the address, it cannot be used, or nobody listens there."""

    outcome = "unreachable"


class Refused(Unreachable):
    """The device itself says by ICMP that nobody listens on that port."""

    def __init__(self, target: str) -> None:
        super().__init__(
            target,
            "the device is there, but nobody listens on that UDP port: is SNMP on, the port right?",
        )


class AnswerTooBig(PollError):
    """The device says that the answer does not fit: ask for less at once."""


class BadAnswer(PollError):
    """The device answered with an SNMP error, or with something that does not fit the question."""
