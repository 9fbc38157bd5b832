"""What the sensors ask of a Windows: its registry, its firmware, its devices and their drivers."""

from typing import Protocol

from kiemke.agent.windows.registry import Registry


class Windows(Protocol):
    """The running Windows, or a recording of one."""

    @property
    def registry(self) -> Registry:
        """Return the registry."""

    def firmware(self) -> bytes | None:
        """Return the raw SMBIOS table with Windows' eight bytes before it, None without one."""

    def present_devices(self) -> frozenset[str] | None:
        """Return the instance ids, upper case, of what is plugged in; None when it cannot tell."""

    def control(
        self, device: str, code: int, request: bytes, answer_bytes: int, *, reads: bool = False
    ) -> bytes | None:
        """Return a driver's answer to one control code, None when it refuses or is not there.

        ``reads`` opens the device for reading: some drivers want it, and then the right to it.
        """

    def label(self, mount_point: str) -> str | None:
        """Return a volume's label."""

    def probe(self, name: str, *words: str) -> object:
        """Return what a guarded probe found, in a child that is killed at its deadline; else None."""
