"""The stick's ZIP: what is in it, and what is refused before a token is made."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from kiemke.cli import i18n
from kiemke.cli.errors import KiemkeError
from kiemke.cli.source_kit import (
    ENROLMENT_FILE,
    ROSTER_FILE,
    check_key,
    content,
    pack,
    read_installer,
    words,
)

MSI = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an installer"
UNIT = {"code": "X1", "name": "Xã Đông Hưng"}
PEOPLE = [{"code": "CB1", "name": "Nguyễn Văn An", "post": "Chủ tịch", "phone": "0900000001"}]
TOKEN = {"token": "https://10.0.0.1.ab.cd.ef", "id": "ab", "uses": 20}


def test_the_zip_holds_what_a_double_click_needs_and_no_phone_numbers() -> None:
    archive = zipfile.ZipFile(io.BytesIO(pack(MSI, content(UNIT, PEOPLE, TOKEN, "01/12/2026"))))
    roster = json.loads(archive.read(ROSTER_FILE))

    assert archive.read("kiemke-agent.msi") == MSI
    assert archive.read(ENROLMENT_FILE) == b"https://10.0.0.1.ab.cd.ef\r\n"
    assert roster == {
        "unit": "Xã Đông Hưng",
        "uses": 20,
        "people": [{"code": "CB1", "name": "Nguyễn Văn An", "post": "Chủ tịch"}],
    }
    told = archive.read("HUONG-DAN.txt").decode("utf-8-sig")
    assert "Bộ này cài được 20 máy, đến hết ngày 01/12/2026" in told


def test_the_kit_is_whole_in_both_languages() -> None:
    """Each text of the one has its like in the other, each is put in, none is left as a name."""
    told, files, speech = {}, {}, {}
    for language in ("vi", "en"):
        i18n.use(language)
        told[language] = words()
        files[language] = content(UNIT, PEOPLE, TOKEN, "01/12/2026")
        speech[language] = b"\n".join(files[language].values()).decode("utf-8", "replace")

    assert told["vi"].keys() == told["en"].keys()
    assert [key for key in told["vi"] if told["vi"][key] == told["en"][key]] == []
    assert {len(pieces) for pieces in files.values()} == {6}
    for language, text in speech.items():
        assert [
            said
            for said in told[language].values()
            if said.strip() not in text + "READ-ME.txt HUONG-DAN.txt"
        ] == []
        assert not re.search(r"@\w+@", text)
        assert f"KIEMKE_LANG={language}" in text
    assert "double-click INSTALL.cmd" in speech["en"] and "PCs, until 01/12/2026" in speech["en"]
    assert not re.search("KHAO|CAI-DAT|DA-CAI|XONG|Xin ", speech["en"])
    assert not re.search("SURVEY|INSTALL|NOT DONE", speech["vi"])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_cmd_runs_is_ascii_with_windows_line_ends(language: str) -> None:
    """cmd reads a batch file in the PC's code page, and loses its place at lone line feeds."""
    i18n.use(language)
    pieces = content(UNIT, PEOPLE, TOKEN, "01/12/2026")

    for name, data in pieces.items():
        if name.endswith((".cmd", ".ps1")):
            assert data.isascii()
            assert data.count(b"\n") == data.count(b"\r\n") > 10


def test_keys_of_releases_stand_under_the_token_as_the_agent_reads_them() -> None:
    key = check_key(" " + "5F" * 32)
    written = content(UNIT, PEOPLE, TOKEN, "01/12/2026", [key])[ENROLMENT_FILE]

    assert written == b"https://10.0.0.1.ab.cd.ef\r\nupdate-key " + b"5f" * 32 + b"\r\n"
    with pytest.raises(KiemkeError, match="không phải khóa của bản phát hành"):
        check_key("release.key")


@pytest.mark.parametrize("data", [None, b"<html>"])
def test_without_the_installer_the_command_that_makes_it_is_named(
    tmp_path: Path, data: bytes | None
) -> None:
    file = tmp_path / "kiemke-agent.msi"
    if data is not None:
        file.write_bytes(data)

    with pytest.raises(KiemkeError) as refused:
        read_installer(file)

    assert refused.value.where == str(file)
    assert "make packages" in str(refused.value.remedy)
