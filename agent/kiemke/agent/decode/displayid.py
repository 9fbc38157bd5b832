"""The mode a DisplayID section asks for. Source: VESA DisplayID 1.3 and 2.0."""

SECTION_HEADER_BYTES = 4
BLOCK_HEADER_BYTES = 3
TAG_TYPE_I = 0x03  # detailed timings, 20 bytes each
TAG_TYPE_II = 0x04  # detailed timings, 11 bytes each
TAG_TYPE_VII = 0x22  # DisplayID 2's form of type I, same layout of the active pixels
TYPE_I_BYTES = 20
TYPE_II_BYTES = 11
PREFERRED_FLAG = 0x80  # byte 3 of a timing


def preferred(section: bytes) -> str | None:
    """Return the timing marked preferred as "3840x2160", else the first one, else None.

    ``section`` begins at the version byte. Bytes past its stated length are not read.
    """
    if len(section) < SECTION_HEADER_BYTES:
        return None
    end = min(len(section), SECTION_HEADER_BYTES + section[1])
    at = SECTION_HEADER_BYTES
    first: str | None = None
    while at + BLOCK_HEADER_BYTES <= end:
        tag, length = section[at], section[at + 2]
        payload = section[at + BLOCK_HEADER_BYTES : min(at + BLOCK_HEADER_BYTES + length, end)]
        for flagged, mode in _timings(tag, payload):
            if flagged:
                return mode
            first = first or mode
        at += BLOCK_HEADER_BYTES + length
    return first


def _timings(tag: int, payload: bytes) -> list[tuple[bool, str]]:
    """Return (is preferred, mode) of each whole timing in one data block."""
    found = []
    if tag in (TAG_TYPE_I, TAG_TYPE_VII):
        for start in range(0, len(payload) - TYPE_I_BYTES + 1, TYPE_I_BYTES):
            timing = payload[start : start + TYPE_I_BYTES]
            width = int.from_bytes(timing[4:6], "little") + 1
            height = int.from_bytes(timing[12:14], "little") + 1
            found.append((bool(timing[3] & PREFERRED_FLAG), f"{width}x{height}"))
    elif tag == TAG_TYPE_II:
        for start in range(0, len(payload) - TYPE_II_BYTES + 1, TYPE_II_BYTES):
            timing = payload[start : start + TYPE_II_BYTES]
            width = ((timing[4] | (timing[5] & 0x01) << 8) + 1) * 8  # in steps of 8 pixels
            height = (timing[7] | (timing[8] & 0x0F) << 8) + 1
            found.append((bool(timing[3] & PREFERRED_FLAG), f"{width}x{height}"))
    return found
