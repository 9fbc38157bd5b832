"""What it means that the server has set this PC aside, and what to do; in the reader's language."""

from kiemke.agent.words import Both, speak

MEANING = Both(
    "Máy chủ đã cách ly máy này: vẫn nhận và giữ báo cáo, nhưng không tính vào đâu cho đến khi có người quyết định.",
    "The server has set this PC aside: its reports are kept, but count nowhere until a person has decided.",
)
# By the words of ``report.ASIDE_WORDS``; a word that is newer than this program is told as "other".
WHY = {
    "copied_disk": Both(
        "Hai máy báo cáo dưới một tên: ổ đĩa bị sao chép. Ghi danh từng máy bằng mã riêng: kiemke-agent enroll MÃ; "
        "máy kia đã thôi dùng thì quản trị viên chạy: kiemke nguon duyet {source}",
        "Two PCs report as one: a disk was copied. Enrol each with a token of its own: kiemke-agent enroll TOKEN; "
        "where the other is gone, the administrator runs: kiemke source approve {source}",
    ),
    "same_parts": Both(
        "Máy khác khai cùng linh kiện (số sê-ri, MAC) với máy này. Xem cả hai: kiemke phat-hien danh-sach --kind "
        "cloned_identity; là hai máy thì duyệt cả hai: kiemke nguon duyet {source}; là một máy: kiemke may gop",
        "Another PC tells the same parts (serials, MACs) as this one. See both: kiemke finding list --kind "
        "cloned_identity; they are two: kiemke source approve {source} and the other; they are one: kiemke machine merge",
    ),
    "one_host": Both(
        "Có vẻ nhiều tác tử chạy trên một máy. Xem dấu hiệu: kiemke phat-hien danh-sach --kind one_host; máy này có thật "
        "thì quản trị viên chạy: kiemke nguon duyet {source}; nếu không: kiemke nguon thu-hoi {source}",
        "Many agents seem to run on one PC. See the signs: kiemke finding list --kind one_host; if this is a PC of its "
        "own, the administrator runs: kiemke source approve {source}; if not: kiemke source revoke {source}",
    ),
    "other": Both(
        "Hỏi quản trị viên vì sao: kiemke nguon xem {source}",
        "Ask the administrator why: kiemke source show {source}",
    ),
}  # fmt: skip


def explain(word: str, source: str) -> tuple[str, str]:
    """Return what it means and what to do, for the reason ``word``."""
    return speak(MEANING), speak(WHY.get(word, WHY["other"]), source=source)
