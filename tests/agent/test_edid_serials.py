"""The serial on a monitor's label, from the two that its EDID holds."""

import pytest

from kiemke.agent.decode import edid
from kiemke.agent.decode.edid_serials import serial
from tests.support import firmware


@pytest.mark.parametrize(
    ("maker", "product", "text", "number", "label"),
    [
        ("ACR", 0x0330, "T4RTT0014200", 0x53303A27, "T4RTT00153303a274200"),
        ("ACR", 0x0330, "LXS0C0014332", None, "LXS0C0014332"),
        ("ACR", 0x0330, "SHORT", 0x123, "SHORT"),
        ("SAM", 0x0833, "C400123", int.from_bytes(b"H4ZD", "big"), "H4ZDC400123"),
        ("SAM", 0x0833, "C400123", 0x01000000, "C400123"),  # no letters: nothing was split
        ("SAM", 0x0E5A, "C400123", int.from_bytes(b"DZ4H", "big"), "H4ZDC400123"),
        ("SAM", 0x0C18, "H1AK500000", 123456, "123456"),
        ("SAM", 0x0001, "H4LM500123", 0x48344C4D, "H4LM500123"),
        ("BNQ", 0x78D4, "01234567019", int.from_bytes(b"ETF\0", "little"), "ETF01234567019"),
        ("BNQ", 0x78D4, "01234567019", 12345, "01234567019"),
        ("GSM", 0x4B21, None, 331_123, "9R123"),
        ("PHL", 0xC07F, None, 4321, "004321"),
        ("PHL", 0xC07F, "UHB1516004321", 4321, "UHB1516004321"),
        ("ENC", 0x2378, None, 21654, "21654"),
        ("DEL", 0x4123, "9K3V2T1", 5, "9K3V2T1"),
        ("DEL", 0x4123, None, None, None),
    ],
)
def test_the_serial_of_the_label(
    maker: str, product: int, text: str | None, number: int | None, label: str | None
) -> None:
    assert serial(maker, product, text, number) == label


def test_a_split_serial_is_put_together_in_the_decoder() -> None:
    data = firmware.edid(
        maker="SAM", product=0x0833, serial=int.from_bytes(b"H4ZD", "big"),
        descriptors=(firmware.descriptor(0xFF, b"C400123\n     "),),
    )  # fmt: skip

    assert edid.decode(data).serial == "H4ZDC400123"
