"""Search and sort keys of Vietnamese text, cleaning, old encodings, and the words of enumerations."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.db import Database
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.text import (
    SORT_KEY_LENGTH,
    clean_text,
    is_found,
    person_sort_key,
    search_key,
    serial_key,
    sort_key,
)
from kiemke.server.domain.text_legacy import repair
from kiemke.server.models import book, network, organisation

# Orders that ICU's collation "vi" gives.
LETTERS = "a ă â b c d đ e ê g h i k l m n o ô ơ p q r s t u ư v x y".split()
TONES = "ma mà mả mã má mạ".split()
GIVEN_NAMES = (
    "An Ánh Ân Bình Chi Dũng Đạt Đức Giang Hà Hòa Hùng Hương Lan Oanh Ơn Quỳnh Thủy Tuấn Ước Yến"
).split()
PERSONS = [
    "Trần Văn An",
    "Nguyễn Thị Ánh",
    "Bùi Văn Đạt",
    "Bùi Đức Đạt",
    "Đỗ Văn Đạt",
    "Lê Đức",
    "Nguyễn Hà",
    "Nguyễn Văn Hà",
    "Nguyễn Thị Hạ",
    "Phạm Ước",
    "Lê Thị Yến",
]

vietnamese = st.text(alphabet="aàảãáạăằâấbdđeêềghikoôơọưứỳyzAĐÂ 09-", max_size=40)


@pytest.mark.parametrize("order", [LETTERS, TONES, GIVEN_NAMES], ids=["letters", "tones", "names"])
def test_words_stand_in_the_order_of_a_vietnamese_dictionary(order: list[str]) -> None:
    mixed = random.Random(1).sample(order, len(order))

    assert sorted(mixed, key=sort_key) == order


def test_letters_weigh_more_than_tones() -> None:
    assert sorted(["má", "mãi", "mạ", "mai"], key=sort_key) == ["má", "mạ", "mai", "mãi"]


def test_a_shorter_word_stands_before_its_continuation() -> None:
    assert sorted(["Anh", "An Bình", "An"], key=sort_key) == ["An", "An Bình", "Anh"]


def test_persons_stand_by_given_name_then_family_then_middle_name() -> None:
    expected = [
        "Trần Văn An", "Nguyễn Thị Ánh", "Bùi Đức Đạt", "Bùi Văn Đạt", "Đỗ Văn Đạt", "Lê Đức",
        "Nguyễn Hà", "Nguyễn Văn Hà", "Nguyễn Thị Hạ", "Phạm Ước", "Lê Thị Yến",
    ]  # fmt: skip

    assert sorted(PERSONS, key=person_sort_key) == expected


async def test_both_databases_sort_by_the_key_as_python_does(database: Database) -> None:
    """Whatever collation the database was made with: the keys hold digits only."""
    words = [*GIVEN_NAMES, *TONES, "An Bình", "anh", "Ăn", "Z-1", "Z 1", "10", "9"]
    rows = " UNION ALL ".join(
        f"SELECT {n} AS n, '{sort_key(word)}' AS k" for n, word in enumerate(words)
    )

    found = await database.read(f"SELECT n FROM ({rows}) AS w ORDER BY k, n")  # noqa: S608  # digits only

    expected = sorted(range(len(words)), key=lambda n: (sort_key(words[n]), n))
    assert [row["n"] for row in found] == expected


@given(vietnamese)
def test_a_key_is_digits_and_fits_its_column(text: str) -> None:
    assert all(key.isdigit() for key in (sort_key(text), person_sort_key(text)))
    assert len(sort_key(text * 20)) <= SORT_KEY_LENGTH


@given(vietnamese, vietnamese)
def test_words_that_differ_without_tones_are_ordered_by_letters(one: str, other: str) -> None:
    def bare(text: str) -> str:
        marks = "\u0300\u0309\u0303\u0301\u0323"
        return "".join(c for c in unicodedata.normalize("NFD", text) if c not in marks)

    if sort_key(bare(one)) < sort_key(bare(other)) and not sort_key(bare(other)).startswith(
        sort_key(bare(one)).split("00")[0]
    ):
        assert sort_key(one) < sort_key(other)


@given(vietnamese)
def test_composed_and_decomposed_text_have_the_same_keys(text: str) -> None:
    nfd = unicodedata.normalize("NFD", text)

    assert (sort_key(nfd), search_key(nfd)) == (sort_key(text), search_key(text))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Hoà", "hoa"),
        ("Hòa", "hoa"),
        ("Thuỷ  Tiên", "thuy tien"),
        ("ĐỨC", "duc"),
        ("Ủy ban Xã Đông", "uy ban xa dong"),
        ("Ｗifi", "ｗifi"),
    ],
)
def test_a_search_does_not_mind_marks_capitals_or_where_the_tone_stands(
    text: str, key: str
) -> None:
    assert search_key(text) == key


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Tie\u0302\u0301ng", "Tiếng"),
        ("a\u202eb\u200bc\x00\x1b", "abc"),
        ("a \u00a0\u3000 b\r\nc", "a b c"),
        ("\u3164\u2800", None),
        ("  ", None),
        ("abcdef", "abcd"),
        ("\ud800x", "x"),
    ],
)
def test_text_from_outside_is_made_safe(text: str, clean: str | None) -> None:
    assert clean_text(text, 4 if text == "abcdef" else 100) == clean


def test_serials_are_compared_by_letters_and_digits() -> None:
    assert serial_key(" ab-12/c ") == "AB12C"
    assert serial_key("--") is None


@pytest.mark.parametrize(
    ("broken", "sound"),
    [
        ("ViÖt Nam, c¸n bé", "Việt Nam, cán bộ"),
        ("NguyÔn V¨n §øc", "Nguyễn Văn Đức"),
        ("Tiáº¿ng Viá»‡t", "Tiếng Việt"),
    ],
)
def test_an_old_encoding_is_recognised(broken: str, sound: str) -> None:
    assert repair(broken) == sound


@pytest.mark.parametrize(
    "text",
    [
        "Việt Nam",
        "Hà Thanh",
        "Café",
        "Müller",
        "Intel® Core™ i5",
        "2×4 GB",
        "LÊ VÂN",
        "25°C",
        "Dell",
    ],
)
def test_sound_text_is_not_suspected(text: str) -> None:
    assert repair(text) is None


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (labels.UNIT_TYPES, organisation.UNIT_TYPES),
        (labels.OFFICIAL_KINDS, organisation.OFFICIAL_KINDS),
        (labels.ABSENCE_REASONS, organisation.ABSENCE_REASONS),
        (labels.ASSET_KINDS, book.ASSET_KINDS),
        (labels.ASSET_STATUSES, book.ASSET_STATUSES),
        (labels.OWNERSHIPS, book.OWNERSHIPS),
        (labels.NO_AGENT_REASONS, book.NO_AGENT_REASONS),
        (labels.DEVICE_KINDS, network.DEVICE_KINDS),
        (labels.LINK_KINDS, network.LINK_KINDS),
    ],
)
def test_every_code_has_its_words(table: dict[str, labels.Words], codes: tuple[str, ...]) -> None:
    assert tuple(table) == codes
    assert len({search_key(words.vi) for words in table.values()}) == len(codes)
    assert len({search_key(words.en) for words in table.values()}) == len(codes)


def test_every_synonym_means_a_code_that_exists() -> None:
    tables = (
        labels.UNIT_TYPES, labels.OFFICIAL_KINDS, labels.ABSENCE_REASONS, labels.ASSET_KINDS,
        labels.ASSET_STATUSES, labels.OWNERSHIPS, labels.LINK_KINDS, labels.MEASURES,
    )  # fmt: skip
    known = {code for table in tables for code in table}

    assert set(labels.SYNONYMS.values()) <= known
    assert all(search_key(word) == word for word in labels.SYNONYMS)


def test_a_text_is_found_by_all_of_it_or_by_the_beginnings_of_its_words() -> None:
    name = "CB-01 Nguyễn Văn An"

    assert all(is_found(asked, name) for asked in ("", "guyen v", "an nguy", "cb-01 van", "an van"))
    assert not any(is_found(asked, name) for asked in ("an guyen", "nguyen binh", "01 an"))
