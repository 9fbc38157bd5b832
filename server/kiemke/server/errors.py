"""What can go wrong, as one tree, and the one shape in which the API tells it.

    ServerError
    +-- SettingsError      a setting is unknown or unreadable; the text says what, where, remedy
    +-- CaError            the certificate authority's files are unusable
    +-- OutdatedDatabase   the schema is not this version's
    +-- Problem            an answer to a request: a key of PROBLEMS and its fields

Every error answer is ``application/problem+json`` (RFC 9457) with ``detail`` saying what and where
and ``remedy`` saying what to do, in Vietnamese or English.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from kiemke.server.errors_access import ACCESS_PROBLEMS, Kind, make_kind


class ServerError(Exception):
    """Anything this server says of itself."""


class SettingsError(ServerError):
    """A setting is unknown or has a value that cannot be."""


class CaError(ServerError):
    """The files of the certificate authority cannot be read or made."""


class OutdatedDatabase(ServerError):
    """The database's schema is not the one this version needs."""


class Both(NamedTuple):
    """A text in both languages, as a field of a Problem."""

    vi: str
    en: str


# What many fields take.
A_PAPER = Both("số văn bản", "the number of a paper")
UP_TO_TODAY = Both("một ngày không sau hôm nay", "a day not after today")

PROBLEMS: dict[str, Kind] = {
    **ACCESS_PROBLEMS,
    "bad_request": make_kind(
        400,
        ("Yêu cầu không hợp lệ", "{what}", "Sửa lại yêu cầu theo tài liệu API rồi gửi lại."),
        ("Bad request", "{what}", "Correct the request after the API page and send it again."),
    ),
    "bad_field": make_kind(
        400,
        (
            "Giá trị không hợp lệ",
            "{field}: giá trị {value} không dùng được.",
            "Trường này nhận: {wanted}.",
        ),
        ("Bad value", "{field}: the value {value} cannot be used.", "This field takes: {wanted}."),
    ),
    "not_found": make_kind(
        404,
        (
            "Không tìm thấy",
            "Không có {what} {ref} (hoặc tài khoản này không được xem).",
            "Kiểm tra mã, hoặc tìm trong danh sách bằng ?q=.",
        ),
        (
            "Not found",
            "There is no {what} {ref} (or this account may not see it).",
            "Check the code, or search the list with ?q=.",
        ),
    ),
    "ambiguous": make_kind(
        409,
        ("Nhiều hơn một", "{ref} chỉ nhiều {what}.", "Dùng id: {candidates}."),
        ("More than one", "{ref} names several of {what}.", "Use the id: {candidates}."),
    ),
    "no_route": make_kind(
        404,
        (
            "Không có địa chỉ này",
            "Máy chủ không có {path}.",
            "Xem các địa chỉ tại /api/v1/.",
        ),
        ("No such address", "The server has no {path}.", "See the addresses at /api/v1/."),
    ),
    "wrong_method": make_kind(
        405,
        (
            "Sai phương thức",
            "{path} không nhận {method}.",
            "Xem phương thức của địa chỉ này tại /api/v1/.",
        ),
        ("Wrong method", "{path} does not take {method}.", "See its methods at /api/v1/."),
    ),
    "conflict": make_kind(
        409,
        ("Đã tồn tại", "{what} {ref} đã có.", "Dùng tên khác, hoặc sửa mục đã có."),
        ("Exists already", "{what} {ref} exists already.", "Use another name, or change that one."),
    ),
    "state": make_kind(
        409,
        (
            "Trạng thái không cho phép",
            "{what} {ref} đang ở trạng thái {state}.",
            "Xem lý do bằng GET; nguồn đã thu hồi phải ghi danh lại bằng mã mới.",
        ),
        (
            "Not in this state",
            "{what} {ref} is {state}.",
            "See the reason with GET; a revoked source enrols again with a new token.",
        ),
    ),
    "install_conflict": make_kind(
        409,
        (
            "Bản cài này đã ghi danh",
            "install_id đã ghi danh bằng một bí mật khác: có thể máy bị sao chép.",
            "Xóa thư mục trạng thái của tác tử trên máy mới rồi ghi danh lại.",
        ),
        (
            "This install is enrolled already",
            "The install_id is enrolled with another secret: the machine may be a copy.",
            "Delete the agent's state folder on the new machine and enrol again.",
        ),
    ),
    "too_large": make_kind(
        413,
        ("Quá lớn", "Nội dung dài hơn {limit} byte.", "Chia nhỏ rồi gửi lại."),
        ("Too large", "The body is longer than {limit} bytes.", "Send it in smaller parts."),
    ),
    "too_slow": make_kind(
        408,
        ("Quá chậm", "Nội dung không tới đủ trong {seconds} giây.", "Xem đường mạng rồi gửi lại."),
        (
            "Too slow",
            "The body did not arrive within {seconds} seconds.",
            "Look at the network and send it again.",
        ),
    ),
    "unreadable": make_kind(
        422,
        ("Không đọc được", "{what}", "Sửa nội dung rồi gửi lại."),
        ("Unreadable", "{what}", "Correct the content and send it again."),
    ),
    "refused": make_kind(
        422,
        ("Không thực hiện được", "{what}", "{remedy}"),
        ("Cannot be done", "{what}", "{remedy}"),
    ),
    "too_many": make_kind(
        429,
        (
            "Quá nhiều lần thử",
            "Quá nhiều lần thử sai từ địa chỉ này.",
            "Đợi {seconds} giây rồi thử lại.",
        ),
        (
            "Too many attempts",
            "Too many failed attempts from this address.",
            "Wait {seconds} seconds and try again.",
        ),
    ),
    "busy": make_kind(
        503,
        ("Máy chủ đang bận", "Hàng đợi đã đầy.", "Đợi {seconds} giây rồi gửi lại."),
        ("The server is busy", "The queue is full.", "Wait {seconds} seconds and send again."),
    ),
    "database": make_kind(
        503,
        (
            "Cơ sở dữ liệu không trả lời",
            "Máy chủ không dùng được cơ sở dữ liệu lúc này.",
            "Gửi lại sau {seconds} giây; nếu còn, xem nhật ký máy chủ và dung lượng đĩa.",
        ),
        (
            "The database does not answer",
            "The server cannot use its database just now.",
            "Send again in {seconds} seconds; if it lasts, see the server's log and disk space.",
        ),
    ),
    "rule": make_kind(
        409,
        (
            "Quy tắc không dùng được",
            "Một dòng quy tắc đang có hiệu lực không đúng dạng: {reason}.",
            "Nhờ người quản trị thay dòng đó trong bảng rule; docs/norms.md có mẫu.",
        ),
        (
            "A rule cannot be used",
            "A rule's row that is in force has not its form: {reason}.",
            "Ask an admin to replace that row of the table rule; docs/norms.md shows the forms.",
        ),
    ),
    "internal": make_kind(
        500,
        (
            "Lỗi của máy chủ",
            "Máy chủ gặp lỗi ngoài dự kiến (mã {incident}).",
            "Thử lại; nếu còn, gửi mã này kèm nhật ký máy chủ cho người phụ trách.",
        ),
        (
            "The server failed",
            "The server met an error nobody foresaw (number {incident}).",
            "Try again; if it lasts, give this number and the server's log to whoever runs it.",
        ),
    ),
}


class Problem(ServerError):
    """An error answer: ``key`` of PROBLEMS, the fields its words need, headers to send along."""

    def __init__(
        self, key: str, /, *, headers: Mapping[str, str] | None = None, **fields: object
    ) -> None:
        super().__init__(key, fields)
        self.key = key
        self.fields = fields
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """The HTTP status."""
        return PROBLEMS[self.key].status

    def tell(self, language: str) -> dict[str, Any]:
        """Return the body in "vi" or "en"; text from outside stays plain text in it."""
        kind = PROBLEMS[self.key]
        words = kind.en if language == "en" else kind.vi
        return {
            "type": "about:blank",
            "title": words.title,
            "status": kind.status,
            "detail": _fill(words.detail, self.fields, language),
            "remedy": _fill(words.remedy, self.fields, language),
        }


def _fill(text: str, fields: Mapping[str, object], language: str) -> str:
    # Not str.format: a name such as "{0.__class__}" from outside must stay what it is.
    def put(match: re.Match[str]) -> str:
        value = fields.get(match[1], "?")
        if isinstance(value, Both):  # this house's own words, with lists it has shortened itself
            return (value.en if language == "en" else value.vi)[:1000]
        return str(value)[:300]

    return re.sub(r"\{(\w+)\}", put, text)


def choose_language(accept_language: str | None, default: str = "vi") -> str:
    """Return "vi" or "en" by an Accept-Language header (RFC 9110 §12.5.4), else ``default``."""
    best, best_weight = default, 0.0
    for part in (accept_language or "").split(","):
        tag, _, rest = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest.strip() else 1.0
        except ValueError:
            continue
        if name in ("vi", "en") and weight > best_weight:
            best, best_weight = name, weight
    return best
