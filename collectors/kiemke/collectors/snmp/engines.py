"""Which library asks a device: gufo-snmp where it is installed and knows the credential, else pysnmp."""

from kiemke.collectors.credentials import Credential
from kiemke.collectors.snmp.pysnmp_reader import SILENCE, PysnmpEngines, check_route
from kiemke.collectors.snmp.reader import SnmpReader, Tuning
from kiemke.collectors.trace import Trace, no_trace

try:
    from kiemke.collectors.snmp.gufo_keys import Users
    from kiemke.collectors.snmp.gufo_reader import GufoReader, speaks
except ImportError:  # no wheel for this system (Windows)
    HAS_GUFO = False
else:
    HAS_GUFO = True


class Engines:
    """Makes readers for one event loop; ``backend`` "pysnmp" keeps to the one library."""

    def __init__(self, *, backend: str = "gufo", share_v2c: bool = False) -> None:
        self._slow = PysnmpEngines(share_v2c=share_v2c)
        self.backend = backend if HAS_GUFO else "pysnmp"
        self._users = Users() if self.backend == "gufo" else None

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
    ) -> SnmpReader:
        """Return a reader of one device. Raises Unreachable when the kernel has no route to it."""
        made: SnmpReader | None = None

        async def slow() -> SnmpReader:
            nonlocal made
            if made is None:
                made = await self._slow.reader(
                    address,
                    port,
                    credential,
                    tuning,
                    attempt_seconds=attempt_seconds,
                    attempts=attempts,
                    trace=trace,
                )
            return made

        if self._users is None or not speaks(credential) or not tuning.plain:
            return await slow()
        target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        check_route(address, port, target)
        return GufoReader(
            target,
            credential,
            self._users,
            tuning,
            slow,
            silence=SILENCE[credential.version],
            attempt_seconds=attempt_seconds,
            attempts=attempts,
            trace=trace,
        )

    def close(self) -> None:
        """Close every socket and timer."""
        self._slow.close()
