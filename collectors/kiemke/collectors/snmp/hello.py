"""Asking whether an SNMP agent is there, without any secret: for addresses nobody registered.

Two questions: the discovery that opens every SNMPv3 talk (RFC 3414, section 4), which an agent answers
to everybody, and a v2c GET with the community "public", which is no secret. A secret of ours is never
sent to an address that a sweep found.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import tag, univ
from pysnmp.proto import api
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.reader import Oid, Value, parse_oid

EVERYBODYS_COMMUNITY = "public"
ASKED = (oids.SYS_DESCR, oids.SYS_OBJECT_ID, oids.SYS_NAME)
LARGEST_ANSWER = 4096
V2C, V3 = 1, 3
REPORT = "report"
_REPORTABLE, _USER_SECURITY, _SIZE = b"\x04", 3, 65_507
_GET = tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 0)


@dataclass(frozen=True, slots=True)
class Hello:
    """An agent's answer: ``version`` "2c" or "3"; ``values`` by OID, {} by version 3."""

    version: str
    values: Mapping[str, Value]


def new_number() -> int:
    """Return a number for the questions of one sweep, which no stranger can guess."""
    return secrets.randbelow(2**31 - 1) + 1


def ask_v3(number: int) -> bytes:
    """Return the discovery message with this message id."""
    header = _sequence(
        univ.Integer(number),
        univ.Integer(_SIZE),
        univ.OctetString(_REPORTABLE),
        univ.Integer(_USER_SECURITY),
    )
    security = _sequence(
        univ.OctetString(b""), univ.Integer(0), univ.Integer(0),
        univ.OctetString(b""), univ.OctetString(b""), univ.OctetString(b""),
    )  # fmt: skip
    question = univ.Sequence().subtype(implicitTag=_GET)
    for place, value in enumerate((number, 0, 0)):
        question.setComponentByPosition(place, univ.Integer(value))
    question.setComponentByPosition(3, univ.Sequence().clear())
    scoped = _sequence(univ.OctetString(b""), univ.OctetString(b""), question)
    message = _sequence(
        univ.Integer(V3), header, univ.OctetString(encoder.encode(security)), scoped
    )
    return bytes(encoder.encode(message))


def _sequence(*parts: Any) -> Any:
    made = univ.Sequence()
    for place, part in enumerate(parts):
        made.setComponentByPosition(place, part)
    return made


def ask_v2c(number: int) -> bytes:
    """Return a GET of what everybody may know, with this request id."""
    module: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    question = module.GetRequestPDU()
    module.apiPDU.set_defaults(question)
    module.apiPDU.set_request_id(question, number)
    module.apiPDU.set_varbinds(question, [(parse_oid(oid), module.Null("")) for oid in ASKED])
    message = module.Message()
    module.apiMessage.set_defaults(message)
    module.apiMessage.set_community(message, EVERYBODYS_COMMUNITY)
    module.apiMessage.set_pdu(message, question)
    return bytes(encoder.encode(message))


def read(data: bytes, number: int) -> Hello | None:
    """Return what an answer to one of the two questions says, None when it is none to them."""
    if len(data) > LARGEST_ANSWER:
        return None
    return _read_safely(_read_v3, data, number) or _read_safely(_read_v2c, data, number)


def _read_safely(
    read_one: Callable[[bytes, int], Hello | None], data: bytes, number: int
) -> Hello | None:
    try:
        return read_one(data, number)
    except (
        PyAsn1Error,
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
        RecursionError,
    ):
        # A stranger's bytes: whatever they are, they are no answer.
        return None


def _read_v3(data: bytes, number: int) -> Hello | None:
    """An agent answers the discovery with a Report that names its engine."""
    message: Any = decoder.decode(data, asn1Spec=SNMPv3Message())[0]
    if int(message[0]) != V3 or int(message[1][0]) != number:
        return None
    said = message["msgData"]["plaintext"]["data"].getName()
    return Hello("3", {}) if said == REPORT else None


def _read_v2c(data: bytes, number: int) -> Hello | None:
    module: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    message, _ = decoder.decode(data, asn1Spec=module.Message())
    if int(message[0]) != V2C:
        return None
    answer = module.apiMessage.get_pdu(message)
    if not answer.isSameTypeWith(module.GetResponsePDU()):
        return None
    if int(module.apiPDU.get_request_id(answer)) != number:
        return None
    found: dict[str, Value] = {}
    for oid, value in module.apiPDU.get_varbinds(answer):
        name = ".".join(map(str, tuple(oid)))
        if name in ASKED and isinstance(value, univ.OctetString):
            found[name] = bytes(value)
        elif name in ASKED and isinstance(value, univ.ObjectIdentifier):
            identifier: Oid = tuple(value)
            found[name] = identifier
    return Hello("2c", found)
