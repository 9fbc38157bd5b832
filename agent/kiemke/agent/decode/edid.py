"""What a monitor says of itself: EDID blocks into a Monitor row. Source: VESA E-EDID A.2, CTA-861."""

from itertools import takewhile

from kiemke.agent.decode import displayid, edid_serials, vic
from kiemke.agent.decode.errors import DecodeError
from kiemke.wire.inventory import Monitor

BLOCK_BYTES = 128
HEADER = bytes.fromhex("00ffffffffffff00")
# Worn connectors flip header bits; a block that keeps this many of the eight bytes is still one.
HEADER_BYTES_NEEDED = 6
DESCRIPTOR_OFFSETS = (54, 72, 90, 108)  # E-EDID 1.4, 3.10: four 18-byte descriptors
DESCRIPTOR_BYTES = 18
TAG_NAME = 0xFC
TAG_SERIAL = 0xFF
EXTENSION_CTA = 0x02
EXTENSION_DISPLAYID = 0x70
CTA_TAG_VIDEO = 2
# Values that makers leave in the binary serial number (bytes 12-15) when they do not use it.
UNUSED_SERIALS = frozenset({0, 0x01010101, 0xFFFFFFFF})


def decode(data: bytes) -> Monitor:
    """Return the Monitor of one EDID (base block and any extensions present).

    Absent values are None: a week of 0 or 255, a size with a zero side (a projector, or an aspect
    ratio in its place), a missing name. ``preferred`` is the first detailed timing, doubled in
    height when interlaced. Text is printable ASCII and ends where that ends. Raises DecodeError when there is
    no base block. Checksums are not demanded: the bytes of a bad cable are better than none.
    """
    if len(data) < BLOCK_BYTES:
        raise DecodeError(f"an EDID has at least {BLOCK_BYTES} bytes, this has {len(data)}")
    kept = sum(got == want for got, want in zip(data[:8], HEADER, strict=True))
    if kept < HEADER_BYTES_NEEDED:
        raise DecodeError("no EDID header (00 ff ff ff ff ff ff 00)")
    maker, product = _manufacturer(data), int.from_bytes(data[10:12], "little")
    width_cm, height_cm = data[21], data[22]
    sized = width_cm > 0 and height_cm > 0
    return Monitor(
        manufacturer=maker,
        product_code=str(product),
        name=_text(data, TAG_NAME),
        serial=edid_serials.serial(maker, product, _text(data, TAG_SERIAL), _binary_serial(data)),
        year=1990 + data[17],  # of make; of the model when the week is 255
        week=data[16] if 0 < data[16] < 255 else None,
        width_cm=width_cm if sized else None,
        height_cm=height_cm if sized else None,
        preferred=_preferred(data),
        digital=bool(data[20] & 0x80),
    )


def _manufacturer(data: bytes) -> str:
    """Return the three letters packed into bytes 8-9, five bits each, 1 = A."""
    packed = int.from_bytes(data[8:10], "big")
    return "".join(chr(64 + (packed >> shift & 0x1F)) for shift in (10, 5, 0))


def _binary_serial(data: bytes) -> int | None:
    """Return the 32-bit serial number, None when the maker left it unused."""
    number = int.from_bytes(data[12:16], "little")
    return None if number in UNUSED_SERIALS else number


def _text(data: bytes, tag: int) -> str | None:
    """Return the first non-blank text descriptor of this tag, stripped.

    Text ends at its line feed; makers who end it with another control byte are understood too.
    """
    for offset in DESCRIPTOR_OFFSETS:
        descriptor = data[offset : offset + DESCRIPTOR_BYTES]
        # Byte 2 should be 0 too, but some makers leave something there.
        if descriptor[:2] != b"\0\0" or descriptor[3] != tag:
            continue
        text = "".join(map(chr, takewhile(_is_printable, descriptor[5:]))).strip()
        if text:
            return text
    return None


def _is_printable(byte: int) -> bool:
    """Tell whether the byte is printable ASCII."""
    return 32 <= byte < 127


def _preferred(data: bytes) -> str | None:
    """Return the mode the monitor asks for as "1920x1080".

    The first detailed timing of the base block; where that has none, the first of the CTA
    extensions, then a CTA short video descriptor, then DisplayID.
    """
    for offset in DESCRIPTOR_OFFSETS:
        mode = _detailed_timing(data, offset)
        if mode:
            return mode
    extensions = [
        data[start : start + BLOCK_BYTES]
        for start in range(BLOCK_BYTES, len(data) - BLOCK_BYTES + 1, BLOCK_BYTES)
    ]
    cta = [block for block in extensions if block[0] == EXTENSION_CTA]
    for find in (_cta_detailed, _cta_short):
        for block in cta:
            mode = find(block)
            if mode:
                return mode
    for block in extensions:
        mode = displayid.preferred(block[1:-1]) if block[0] == EXTENSION_DISPLAYID else None
        if mode:
            return mode
    return None


def _detailed_timing(data: bytes, offset: int) -> str | None:
    """Return the active pixels of the 18-byte timing at ``offset``; None where there is none."""
    timing = data[offset : offset + DESCRIPTOR_BYTES]
    if len(timing) < DESCRIPTOR_BYTES or timing[:2] == b"\0\0":
        return None
    width = timing[2] | (timing[4] & 0xF0) << 4
    height = timing[5] | (timing[7] & 0xF0) << 4
    if not width or not height:
        return None
    if timing[17] & 0x80:  # interlaced: the field is half the frame
        height *= 2
    return f"{width}x{height}"


def _cta_detailed(block: bytes) -> str | None:
    """Return the first detailed timing of a CTA-861 extension (byte 2 tells where they begin)."""
    start = block[2]
    return (
        _detailed_timing(block, start) if 4 <= start <= BLOCK_BYTES - 1 - DESCRIPTOR_BYTES else None
    )


def _cta_short(block: bytes) -> str | None:
    """Return the mode of the first known short video descriptor of a CTA-861 extension."""
    end = min(block[2], BLOCK_BYTES - 1)
    at = 4
    while at < end:
        tag, length = block[at] >> 5, block[at] & 0x1F
        if tag == CTA_TAG_VIDEO:
            for byte in block[at + 1 : min(at + 1 + length, end)]:
                # 129-192 carry the "native" flag on codes 1-64 (CTA-861-F, 7.5.1).
                code = byte - 128 if 129 <= byte <= 192 else byte
                if code in vic.SIZES:
                    return vic.SIZES[code]
        at += 1 + length
    return None
