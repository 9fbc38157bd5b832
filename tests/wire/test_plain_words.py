"""Names and publishers of programs as they compare."""

import pytest

from kiemke.wire.plain_words import plain_name, plain_publisher

NAMES = (
    ("7-Zip 23.01 (x64)", "23.01", "7-zip"),
    ("7-Zip 9.20", None, "7-zip"),
    ("Adobe Acrobat Reader DC - Vietnamese", "23.006.20360", "adobe acrobat reader dc"),
    ("Git version 2.12.2.2", "2.12.2.2", "git"),
    ("Git", "2.43.0", "git"),
    ("Intel(R) Graphics Driver", "31.0.101", "intel graphics driver"),
    ("Microsoft Office Professional Plus 2019 - vi-vn", "16.0.10404", "microsoft office professional plus 2019"),
    ("Microsoft SQL Server 2017", "17.77", "microsoft sql server 2017"),
    (
        "Microsoft Visual C++ 2015-2022 Redistributable (x64) - 14.36.32532", "14.36.32532.0",
        "microsoft visual c++ 2015-2022 redistributable",
    ),
    ("Mozilla Firefox (x64 vi)", "120.0", "mozilla firefox"),
    ("Mozilla Firefox 57.0.2 (fr)", "57.0.2", "mozilla firefox"),
    ("Notepad++ (64-bit x64)", "8.6", "notepad++"),
    ("Phần mềm kế toán MISA Mimosa.NET 2020", "30.1", "phần mềm kế toán misa mimosa.net 2020"),
    ("Python 3.11.5 Core Interpreter (64-bit)", "3.11.5150.0", "python core interpreter"),
    ("Strawberry Perl (64-bit)", "5.24.1", "strawberry perl"),
    ("UniKey 4.3 RC5", None, "unikey"),
    ("UniKey phiên bản 4.3", None, "unikey"),
    ("FusionInventory Agent 2.4.x-build-26 (x64 edition)", "2.4.x-build-26", "fusioninventory agent"),
    ("WinRAR 6.24 (64-bit)", "6.24.0", "winrar"),
    ("Windows SDK AddOn", "10.1", "windows sdk addon"),
    ("3.14", "3.14", "3.14"),
    ("(x64)", None, "x64"),
)  # fmt: skip
PUBLISHERS = (
    ("Adobe Inc.", "adobe"),
    ("Adobe Systems, Incorporated", "adobe systems"),
    ("BKAV JSC", "bkav"),
    ("CÔNG TY CỔ PHẦN MISA", "misa"),
    ("Công ty TNHH Phần mềm An Bình", "phần mềm an bình"),
    ("Debian Developers <deb@example.org>", "debian developers"),
    ("FPT Joint Stock Company", "fpt"),
    ("Google LLC", "google"),
    ("Igor Pavlov", "igor pavlov"),
    ("Intel(R) Corporation", "intel"),
    ("JetBrains s.r.o.", "jetbrains"),
    ("Kingsoft Co., Ltd.", "kingsoft"),
    ("Microsoft Corporation", "microsoft"),
    ("Siemens AG", "siemens"),
    ("TeamViewer Germany GmbH", "teamviewer germany"),
    ("The Document Foundation", "the document foundation"),
    ("VNG Corp.", "vng"),
    ("win.rar GmbH", "win.rar"),
    ("Inc.", "inc"),
)


@pytest.mark.parametrize(("raw", "version", "plain"), NAMES, ids=lambda one: str(one)[:30])
def test_versions_bits_and_languages_are_no_part_of_a_plain_name(
    raw: str, version: str | None, plain: str
) -> None:
    assert plain_name(raw, version) == plain


@pytest.mark.parametrize(("raw", "plain"), PUBLISHERS)
def test_legal_forms_are_no_part_of_a_plain_publisher(raw: str, plain: str) -> None:
    assert plain_publisher(raw) == plain


def test_a_plain_word_is_plain_already() -> None:
    """The server makes again what an agent made: nothing may be taken off twice."""
    for raw, version, plain in NAMES:
        assert plain_name(plain_name(raw, version), version) == plain
    for raw, plain in PUBLISHERS:
        assert plain_publisher(plain_publisher(raw)) == plain


def test_names_made_to_hold_it_up_do_not() -> None:
    """Patterns over foreign text must not run away: this would take hours."""
    for piece in ("1.", "x64 ", "(", "en-", "v1 ", "co ", ", inc", "- ", "((x64 "):
        assert plain_name(piece * 3000, "1.1") != ""
        assert plain_publisher(piece * 3000) != ""
    for name in (f"x ({'a' * 90}1)", f"x ({'aa-bb-' * 40}1)", f"x 1.0{'rc1' * 90} !"):
        assert plain_name(name, None).startswith("x")
    assert plain_publisher(f"a{' co,,,' * 40} x").startswith("a")
