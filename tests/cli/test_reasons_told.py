"""What a collector says in English is told in the reader's language."""

from datetime import UTC

from kiemke.cli import i18n, kinds


def test_a_collectors_reason_is_told_in_the_readers_language() -> None:
    said = "no answer in 2 tries of 2 s: device off, address filtered, or community not accepted"
    told = {}
    for tongue in ("vi", "en"):
        i18n.use(tongue)
        told[tongue] = kinds.REASON.render(said, UTC)
    i18n.use("vi")

    assert told["en"] == said
    assert told["vi"] == (
        "không trả lời sau 2 lần hỏi, mỗi lần 2 giây: thiết bị tắt, địa chỉ bị lọc, hoặc community"
        " không được nhận"
    )
    assert kinds.REASON.render("words of nobody", UTC) == "words of nobody"
    assert kinds.REASON.render(None, UTC) is None
