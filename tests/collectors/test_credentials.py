"""credentials.toml: what is accepted, what is refused and how it is said."""

import os
import sys
from pathlib import Path

import pytest

from kiemke.collectors.credentials import read_credentials
from kiemke.collectors.errors import ConfigError
from kiemke.wire.secret import Secret

GOOD = """
[default]
version = "2c"
community = "s3cret-community"
[core]
version = "3"
user = "kiemke"
auth_protocol = "SHA256"
auth_key = "s3cret-auth-key"
privacy_protocol = "AES128"
privacy_key = "s3cret-priv-key"
[open]
version = "3"
user = "reader"
"""


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    """Write a credentials file with this mode."""
    path = folder / "credentials.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_v2c_and_v3_credentials_are_read_by_name(tmp_path: Path) -> None:
    found = read_credentials(write(tmp_path, GOOD))

    assert list(found) == ["default", "core", "open"]
    assert found["default"].community == Secret("s3cret-community")
    core = found["core"]
    assert (core.user, core.auth_protocol, core.privacy_protocol) == ("kiemke", "SHA256", "AES128")
    assert core.auth_key == Secret("s3cret-auth-key")
    assert core.privacy_key == Secret("s3cret-priv-key")
    assert (found["open"].auth_key, found["open"].privacy_key) == (None, None)


def test_a_secret_never_shows(tmp_path: Path) -> None:
    """Not in repr, str, format or an error's text; logs and tracebacks are made of these."""
    found = read_credentials(write(tmp_path, GOOD))

    shown = f"{found} {found['core']!r} {found['default'].community} {found['core'].auth_key:>20}"
    assert "***" in shown
    assert "s3cret" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, GOOD, mode)

    with pytest.raises(ConfigError, match=f"mode is {mode:04o}.*chmod 600"):
        read_credentials(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[a]\nversion = "2c"\ncommunity = "topsecret1"\ncolour = "red"', 'unknown key "colour"'),
        ('[a]\nversion = "4"\ncommunity = "topsecret1"', 'version = "2c" or'),
        ('[a]\ncommunity = "topsecret1"', 'version = "2c" or'),
        ('[a]\nversion = "2c"', 'no "community"'),
        ('[a]\nversion = "2c"\ncommunity = ""', '"community" must be text'),
        ('[a]\nversion = "2c"\ncommunity = 7', '"community" must be text'),
        ('[a]\nversion = "3"', 'no "user"'),
        ('[a]\nversion = "3"\nuser = "u"\nauth_key = "topsecret1"', 'no "auth_protocol"'),
        ('[a]\nversion = "3"\nuser = "u"\nauth_protocol = "MD5"', 'no "auth_key"'),
        (
            '[a]\nversion = "3"\nuser = "u"\nauth_protocol = "SHA3"\nauth_key = "topsecret1"',
            "MD5, SHA1",
        ),
        (
            '[a]\nversion = "3"\nuser = "u"\nauth_protocol = "MD5"\nauth_key = "short"',
            "8 characters",
        ),
        (
            '[a]\nversion = "3"\nuser = "u"\nprivacy_protocol = "DES"\nprivacy_key = "topsecret1"',
            "privacy without authentication",
        ),
        ('[a]\nversion = "3"\nuser = "u"\ncommunity = "topsecret1"', 'unknown key "community"'),
        ('community = "topsecret1"', "outside a"),
        ('[a]\nversion = "2c"\ncommunity = "topsecret1', "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_never_with_its_value(
    tmp_path: Path, text: str, words: str
) -> None:
    path = write(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        read_credentials(path)

    said = str(caught.value)
    assert words in said
    assert str(path) in said
    assert "topsecret" not in said and '"short"' not in said


def test_a_missing_file_is_answered_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="chmod 600"):
        read_credentials(tmp_path / "credentials.toml")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_in_its_place_is_an_error_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "credentials.toml").mkdir()

    with pytest.raises(ConfigError, match="cannot be read"):
        read_credentials(tmp_path / "credentials.toml")
