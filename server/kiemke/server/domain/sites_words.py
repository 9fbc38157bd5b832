"""Why an address may not be polled, and what to do, in both languages."""

from kiemke.server.domain.text_labels import Words
from kiemke.wire.reach import DENIED, LOOPBACK, NEVER, NOT_AN_ADDRESS, OUTSIDE

WHY = {
    NOT_AN_ADDRESS: Words("không phải địa chỉ IP", "not an IP address"),
    NEVER: Words(
        "địa chỉ link-local, multicast, broadcast hoặc dành riêng",
        "a link-local, multicast, broadcast or reserved address",
    ),
    LOOPBACK: Words(
        "là chính máy đang chạy, chưa đăng ký mạng con loopback",
        "this machine itself, and no loopback subnet is registered",
    ),
    DENIED: Words("nằm trong mạng con không được dò", "within a subnet that must not be looked at"),
    OUTSIDE: Words(
        "ngoài các mạng con đã đăng ký của đơn vị", "outside the registered subnets of its unit"
    ),
}
REMEDY = Words(
    "sửa địa chỉ, hoặc đăng ký mạng con: kiemke site subnet add",
    "correct the address, or register its subnet: kiemke site subnet add",
)
