"""Simulated SNMP v2c devices for benches: one process answers for any number of addresses of 127/8.

``python -m bench.snmp_agents PORT INTERFACES``: every address of 127.0.0.0/8 is a switch of that many
interfaces at that UDP port. Answers are remembered by question, so that the asking side is measured.
"""

import bisect
import socket
import sys
from collections.abc import Iterator

from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.reader import Oid, parse_oid

COMMUNITY = "bench"
INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
COUNTER32, GAUGE, TICKS, COUNTER64, END_OF_VIEW = 0x41, 0x42, 0x43, 0x46, 0x82
NO_SUCH_OBJECT = 0x80
GET, GET_NEXT, RESPONSE, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA5
PKTINFO_BYTES = 12  # struct in_pktinfo: index, local address, address asked for (ip(7))
IP_PKTINFO = 8


def tlv(tag: int, content: bytes) -> bytes:
    """Return one BER element."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def number(tag: int, value: int) -> bytes:
    """Return a whole number that is not negative."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def identifier(oid: Oid) -> bytes:
    """Return an object identifier."""
    content = bytearray((oid[0] * 40 + oid[1],))
    for part in oid[2:]:
        pieces = [part & 0x7F]
        while part := part >> 7:
            pieces.append(0x80 | (part & 0x7F))
        content += bytes(reversed(pieces))
    return tlv(OID, bytes(content))


def read_tlv(data: bytes, at: int) -> tuple[int, int, int]:
    """Return tag, begin and end of the content of the element at ``at``."""
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    return tag, at, at + size


def read_oid(content: bytes) -> Oid:
    """Return the identifier of its content bytes."""
    parts, value = [min(2, content[0] // 40)], 0
    parts.append(content[0] - 40 * parts[0])
    for byte in content[1:]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(value)
            value = 0
    return tuple(parts)


def switch(interfaces: int) -> dict[Oid, bytes]:
    """Return the objects of a switch with every column that is polled, encoded."""
    scalars = {
        oids.SYS_DESCR: tlv(OCTETS, b"simulated switch"),
        oids.SYS_OBJECT_ID: identifier((1, 3, 6, 1, 4, 1, 99999, 1)),
        oids.SYS_UPTIME: number(TICKS, 8_640_000),
        oids.SYS_NAME: tlv(OCTETS, b"sw"),
        oids.SYS_LOCATION: tlv(OCTETS, b"rack 1"),
        oids.SYS_CONTACT: tlv(OCTETS, b"it"),
        oids.IF_NUMBER: number(INTEGER, interfaces),
        oids.IF_TABLE_LAST_CHANGE: number(TICKS, 100),
    }
    objects = {parse_oid(oid): value for oid, value in scalars.items()}
    for n in range(1, interfaces + 1):
        octets = 10**12 + 10**9 * n
        row = {
            oids.IF_DESCR: tlv(OCTETS, f"GigabitEthernet0/{n}".encode()),
            oids.IF_TYPE: number(INTEGER, 6),
            oids.IF_SPEED: number(GAUGE, 10**9),
            oids.IF_PHYS_ADDRESS: tlv(OCTETS, bytes((2, 0, 0, 0, n >> 8, n & 0xFF))),
            oids.IF_ADMIN_STATUS: number(INTEGER, 1),
            oids.IF_OPER_STATUS: number(INTEGER, 1),
            oids.IF_IN_DISCARDS: number(COUNTER32, n),
            oids.IF_IN_ERRORS: number(COUNTER32, n),
            oids.IF_OUT_DISCARDS: number(COUNTER32, n),
            oids.IF_OUT_ERRORS: number(COUNTER32, n),
            oids.IF_NAME: tlv(OCTETS, f"Gi0/{n}".encode()),
            oids.IF_HC_IN_OCTETS: number(COUNTER64, octets),
            oids.IF_HC_OUT_OCTETS: number(COUNTER64, 2 * octets),
            oids.IF_HIGH_SPEED: number(GAUGE, 1000),
            oids.IF_ALIAS: tlv(OCTETS, f"desk {n}".encode()),
            oids.IF_COUNTER_DISCONTINUITY: number(TICKS, 0),
            oids.IF_LAST_CHANGE: number(TICKS, 100),
            oids.DOT3_DUPLEX_STATUS: number(INTEGER, 3),
        }
        objects.update({(*parse_oid(column), n): value for column, value in row.items()})
    return objects


class Agent:
    """Answers questions about one set of objects."""

    def __init__(self, objects: dict[Oid, bytes]) -> None:
        self._objects = objects
        self._names = sorted(objects)
        self._remembered: dict[bytes, bytes] = {}

    def _pair(self, position: int) -> tuple[Oid, bytes] | None:
        if position >= len(self._names):
            return None
        name = self._names[position]
        return name, tlv(SEQUENCE, identifier(name) + self._objects[name])

    def answer(self, data: bytes) -> bytes:
        """Return the answer to one message."""
        _, start, _ = read_tlv(data, 0)
        _, _, version_end = read_tlv(data, start)
        _, _, head_end = read_tlv(data, version_end)
        tag, at, _ = read_tlv(data, head_end)
        _, _, id_end = read_tlv(data, at)
        question = bytes((tag,)) + data[id_end:]
        pairs = self._remembered.get(question)
        if pairs is None:
            pairs = self._remembered[question] = self._pairs(tag, data, id_end)
        pdu = tlv(RESPONSE, data[at:id_end] + b"\x02\x01\x00\x02\x01\x00" + pairs)
        return tlv(SEQUENCE, data[start:head_end] + pdu)

    def _pairs(self, tag: int, data: bytes, at: int) -> bytes:
        _, begin, first_end = read_tlv(data, at)
        plain = int.from_bytes(data[begin:first_end], "big")
        _, begin, second_end = read_tlv(data, first_end)
        rows = int.from_bytes(data[begin:second_end], "big")
        _, at, end = read_tlv(data, second_end)
        names = []
        while at < end:
            _, inner, at = read_tlv(data, at)
            _, begin, stop = read_tlv(data, inner)
            names.append(read_oid(data[begin:stop]))
        if tag == GET:
            found = [
                tlv(
                    SEQUENCE, identifier(name) + self._objects.get(name, bytes((NO_SUCH_OBJECT, 0)))
                )
                for name in names
            ]
        else:
            found = list(
                self._bulk(names, *((len(names), 0) if tag == GET_NEXT else (plain, rows)))
            )
        return tlv(SEQUENCE, b"".join(found))

    def _bulk(self, names: list[Oid], plain: int, rows: int) -> Iterator[bytes]:
        for name in names[:plain]:
            yield self._step(name)[1]
        moving = names[plain:]
        for _ in range(rows if moving else 0):
            for position, name in enumerate(moving):
                moving[position], encoded = self._step(name)
                yield encoded

    def _step(self, name: Oid) -> tuple[Oid, bytes]:
        found = self._pair(bisect.bisect_right(self._names, name))
        return found or (name, tlv(SEQUENCE, identifier(name) + bytes((END_OF_VIEW, 0))))


def serve(port: int, interfaces: int) -> None:
    """Answer at that port of every loopback address until killed."""
    agent = Agent(switch(interfaces))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        server.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        server.bind(("0.0.0.0", port))  # noqa: S104  # a bench; only loopback is asked
        print("ready", flush=True)
        while True:
            data, extra, _, asker = server.recvmsg(4096, 64)
            asked = next(info[2] for info in extra if info[:2] == (socket.IPPROTO_IP, IP_PKTINFO))
            back = bytes(4) + asked[8:PKTINFO_BYTES] + bytes(4)
            server.sendmsg([agent.answer(data)], [(socket.IPPROTO_IP, IP_PKTINFO, back)], 0, asker)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
