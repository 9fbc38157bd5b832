"""What one check found."""

from dataclasses import dataclass
from typing import NamedTuple

from kiemke.agent.words import Both

GOOD, ODD, BAD, UNKNOWN = "good", "odd", "bad", "unknown"
MARKS = {
    GOOD: Both("tốt", "good"),
    ODD: Both("lưu ý", "note"),
    BAD: Both("HỎNG", "BAD"),
    UNKNOWN: Both("không rõ", "unknown"),
}


class Result(NamedTuple):
    """A check's name, how it came out (a word of MARKS), what was seen, and what to do ("" nothing)."""

    name: str
    state: str
    seen: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A check's name in both languages, for the table."""

    name: str
    words: Both


CHECKS = (
    Check("enrolment", Both("Ghi danh", "Enrolment")),
    Check("rights", Both("Quyền", "Rights")),
    Check("disk", Both("Ổ đĩa", "Disk")),
    Check("outbox", Both("Hộp gửi", "Outbox")),
    Check("dns", Both("Tên máy chủ", "Name")),
    Check("proxy", Both("Proxy", "Proxy")),
    Check("line", Both("Đường tới máy chủ", "Way")),
    Check("tls", Both("Chứng thư", "Certificate")),
    Check("admission", Both("Máy chủ nhận máy này", "Admission")),
    Check("clock", Both("Đồng hồ", "Clock")),
    Check("service", Both("Dịch vụ", "Service")),
)
NAMES = {check.name: check.words for check in CHECKS}
