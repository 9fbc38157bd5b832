"""What ``kiemke-server`` tells at the terminal has its Vietnamese in the server's table, or in the wire's."""

import re

import pytest

from kiemke.server import tongue
from kiemke.server.arguments import build_parser
from kiemke.server.errors import SettingsError
from kiemke.server.main import main
from kiemke.server.settings import SETTINGS, load, make
from kiemke.server.tongue import EXAMPLES, in_tongue
from tests.house.test_agent_speaks import sentences, texts
from tests.support.tree import ROOT

FOLDER = ROOT / "server" / "kiemke" / "server"
TOLD = {
    "SettingsError", "CaError", "OutdatedDatabase", "MigrationError", "ServerError",
    "say", "complain", "in_tongue", "tell", "_Fault",
}  # fmt: skip
# Nobody meets these: the first keeps the file itself right.
OF_DEVELOPERS = ("settings.py: Settings and SETTINGS differ; write both alike.",)


@pytest.fixture(autouse=True)
def vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "vi")
    monkeypatch.delenv("LANG", raising=False)
    tongue.heed(())


def test_every_complaint_and_answer_has_its_vietnamese() -> None:
    told = {
        where: text
        for where, text in sentences((FOLDER,), TOLD)
        if re.search("[A-Za-z]{2}", re.sub("⟨[0-9]+⟩|SHA-256", "", text))
        and text not in OF_DEVELOPERS
    }

    assert len(told) > 45
    assert [f"{where}: {text}" for where, text in told.items() if in_tongue(text) == text] == []


def test_every_word_of_the_help_has_its_vietnamese() -> None:
    told = {*texts(build_parser()), *(why for _, why in EXAMPLES)} - {"N"}

    assert len(told) > 40
    assert sorted(text for text in told if in_tongue(text) == text) == []


def test_what_a_setting_is_stands_alike_in_the_table_and_in_the_vietnamese_readme() -> None:
    readme = (ROOT / "README.vi.md").read_text("utf-8")
    rows = {s.name: f"| {in_tongue(s.unit)} | {in_tongue(s.sentence)} |" for s in SETTINGS}

    assert [name for name, row in rows.items() if row not in readme] == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("listen_port", "cổng", "số nguyên từ 0 đến 65535; Cổng; 0 là lấy một cổng còn trống. Đặt"),
        ("tls", "maybe", "true hoặc false; Trả lời bằng TLS;"),
        ("public_urls", "ftp://x", "tối đa ba địa chỉ https://"),
        ("data_dir", "", "văn bản khác rỗng; Nơi máy chủ để các tệp"),
    ],
)
def test_a_wrong_setting_is_told_whole_in_vietnamese(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        make({name: value})

    assert told in in_tongue(str(raised.value))


@pytest.mark.parametrize(
    ("spoken", "given", "told"),
    [
        ("vi", (), ("Cách dùng: kiemke-server user add", "còn thiếu: --role", "TÊN")),
        ("en", (), ("usage: kiemke-server user add", "are required: --role", "NAME")),
        ("vi", ("--lang", "en"), ("usage: kiemke-server user add",)),
        ("en", ("--lang=vi",), ("Cách dùng: kiemke-server user add",)),
    ],
)
def test_the_surroundings_choose_the_language_and_an_option_over_them(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    spoken: str,
    given: tuple[str, ...],
    told: tuple[str, ...],
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", spoken)

    with pytest.raises(SystemExit):
        main(["user", "add", "lan", *given])

    shown = capsys.readouterr().err
    assert [words for words in told if words not in shown] == []


def test_a_server_starts_beside_the_variable_that_chooses_the_language() -> None:
    """The command line, the agent and the collector read it too; it is no misspelt setting."""
    assert load(environ={"KIEMKE_LANG": "vi"}).language == "vi"
