"""The monitors Windows has plugged in: their EDID, or what an administrator put in its place."""

from kiemke.agent.windows.devices import find, seen
from kiemke.agent.windows.port import Windows

BLOCK_BYTES = 128


def read_edids(windows: Windows) -> list[tuple[str, bytes]]:
    """Return (port, EDID) of each present monitor; bytes are empty where it gave none.

    Blocks under EDID_OVERRIDE (0, 1, ...) win over the monitor's own, block by block.
    """
    found = []
    for device in seen(find(windows, "DISPLAY")):
        place = f"{device.path}\\Device Parameters"
        data = windows.registry.data(place, "EDID") or b""
        override = windows.registry.values(f"{place}\\EDID_OVERRIDE")
        blocks = {
            int(name): bytes(value)
            for name, value in override.items()
            if name.isdecimal()
            and len(name) < 3
            and isinstance(value, bytes)
            and len(value) == BLOCK_BYTES
        }
        if data or blocks:
            found.append((device.instance, _overridden(data, blocks)))
    return found


def _overridden(data: bytes, blocks: dict[int, bytes]) -> bytes:
    """Return the EDID with the blocks put in; one that would leave a hole is left out."""
    parts = [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)]
    for number in sorted(blocks):
        if number < len(parts):
            parts[number] = blocks[number]
        elif number == len(parts):
            parts.append(blocks[number])
    return b"".join(parts)
