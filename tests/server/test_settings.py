"""Settings: defaults, the file, the environment, and what is refused in which words."""

from pathlib import Path

import pytest

from kiemke.server.errors import SettingsError
from kiemke.server.settings import SETTINGS, load, make


def write(folder: Path, text: str) -> Path:
    path = folder / "server.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_a_word_everything_has_its_default() -> None:
    settings = load(environ={})

    assert settings.listen_port == 8443
    assert settings.utc_offset_seconds == 25_200
    assert settings.database_url == "sqlite:///var/lib/kiemke-server/kiemke.sqlite"
    assert settings.language == "vi"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    path = write(tmp_path, 'listen_port = 9000\nlisten_host = "127.0.0.1"\n')

    settings = load(path, {"KIEMKE_LISTEN_PORT": "9001"})

    assert (settings.listen_port, settings.listen_host) == (9001, "127.0.0.1")


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, 'public_urls = ["https://kk.example:8443/", "https://192.0.2.9"]\n')

    settings = load(environ={"KIEMKE_CONFIG": str(path)})

    assert settings.public_urls == ("https://kk.example:8443", "https://192.0.2.9")
    assert settings.certificate_names == ("kk.example", "192.0.2.9")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("listn_port = 1\n", ["server.toml", "listn_port", "did you mean listen_port"]),
        ("listen_port = 70000\n", ["listen_port", "70000", "0 to 65535"]),
        ('listen_port = "a"\n', ["listen_port", "whole number"]),
        ("listen_port = true\n", ["listen_port", "whole number"]),
        ("tls = 3\n", ["tls", "true or false"]),
        ('public_urls = ["ftp://x"]\n', ["public_urls", "https://"]),
        ('public_urls = ["https://a", "https://b", "https://c", "https://d"]\n', ["three"]),
        ('database_url = "mysql://x"\n', ["database_url", "postgres"]),
        ('language = "fr"\n', ["language", '"vi" or "en"']),
        ("listen_port = \n", ["server.toml", "not TOML"]),
    ],
)
def test_a_refusal_says_what_where_and_what_to_do(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    path = write(tmp_path, text)

    with pytest.raises(SettingsError) as caught:
        load(path, {})

    assert [word for word in words if word not in str(caught.value)] == []


def test_an_unknown_variable_is_refused_but_those_of_other_programs_are_not() -> None:
    with pytest.raises(SettingsError, match="KIEMKE_LISTEN_PROT.*KIEMKE_LISTEN_PORT"):
        load(environ={"KIEMKE_LISTEN_PROT": "1"})

    assert load(environ={"KIEMKE_CONFIG_DIR": "/x", "KIEMKE_AGENT_STATE": "/y"}).tls is True


def test_a_file_that_is_named_but_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "none.toml", {})


def test_a_programs_own_values_are_checked_alike() -> None:
    with pytest.raises(SettingsError, match="data_dirs"):
        make({"data_dirs": "/x"})


def test_every_setting_has_a_unit_a_sentence_and_a_name_of_its_own() -> None:
    names = [setting.name for setting in SETTINGS]

    assert len(set(names)) == len(names)
    assert all(setting.unit and setting.sentence.endswith(".") for setting in SETTINGS)
