"""What the agent writes in English where it arises, in the reader's language."""

from kiemke.wire.settings import language

PACKAGES = ("kiemke.wire", "kiemke.agent")


def in_tongue(text: str) -> str:
    """Return an English text in the reader's language; as it is, where it is unknown or he reads English."""
    if language() != "vi":
        return text
    from kiemke.wire.tongue import in_vietnamese  # a table that English never needs

    return in_vietnamese(text, *PACKAGES)
