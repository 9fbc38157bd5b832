"""What the decoder of requests says of a body or a parameter, in both languages.

The English words are msgspec's and Litestar's (their source, ``_core.c`` and ``kwargs``); what is not
known here stays as they say it.
"""

import re

from kiemke.server.errors import Both

_SENTENCES = tuple(
    (re.compile(pattern), vi)
    for pattern, vi in (
        (r"Object missing required field `([^`]*)`", r"thiếu trường `\1`"),
        (r"Object contains unknown field `([^`]*)`", r"không có trường nào tên `\1`"),
        (r"Expected `([^`]*)`, got `([^`]*)`", r"cần `\1`, nhận được `\2`"),
        (r"Expected `([^`]*)` of length ([<>=]+ \d+)", r"cần `\1` dài \2"),
        (r"Expected `([^`]*)` ([<>=]+ [-\d.]+)", r"cần `\1` \2"),
        (r"Invalid enum value ('[^']*'|\d+)", r"không nhận giá trị \1"),
        (r"Invalid value ('[^']*')", r"không nhận giá trị \1"),
        (r"Invalid RFC3339 encoded date(?!time)", "không phải ngày dạng 2026-12-31"),
        (
            r"Invalid RFC3339 encoded datetime",
            "không phải thời điểm dạng 2026-12-31T08:00:00+07:00",
        ),
        (r"Missing required query parameter '([^']*)'(?: for path \S+)?", r"thiếu tham số '\1'"),
        (r"Missing required (?:parameter|header|cookie) '([^']*)'.*", r"thiếu '\1'"),
        (r"JSON is malformed", "JSON hỏng"),
        (r"Input data was truncated", "JSON bị cắt ngang"),
        (r"Validation failed for (\S+) (\S+)", r"\1 \2: giá trị không hợp lệ"),
    )
)


def in_both(text: str) -> Both:
    """Return a decoder's sentence in both languages."""
    told = text
    for pattern, vi in _SENTENCES:
        told = pattern.sub(vi, told)
    return Both(told, text)
