"""The vault: sealed for one place, opened by the right key alone, its keys never shown and never lost."""

from pathlib import Path

import pytest

from kiemke.server.errors import SettingsError
from kiemke.server.settings import load, make
from kiemke.server.vault import Vault, begin_rotation, end_rotation, key_file, open_vault

KEY = "ab" * 32


def test_what_is_sealed_opens_at_its_place_by_its_key_alone() -> None:
    vault = Vault([bytes(32)])
    sealed = vault.seal("secret 1 1", b"public-no-more")

    assert vault.open("secret 1 1", sealed) == b"public-no-more"
    assert vault.open("secret 2 1", sealed) is None
    assert Vault([bytes(31) + b"1"]).open("secret 1 1", sealed) is None
    assert vault.open("secret 1 1", sealed[:-4] + "AAAA") is None
    assert vault.seal("secret 1 1", b"public-no-more") != sealed


def test_the_key_file_is_made_for_its_owner_alone_and_kept(tmp_path: Path) -> None:
    settings = make({"data_dir": str(tmp_path)})
    sealed = open_vault(settings).seal("x", b"1")

    assert key_file(settings).stat().st_mode & 0o777 == 0o600
    assert open_vault(settings).open("x", sealed) == b"1"


def test_a_key_file_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    settings = make({"data_dir": str(tmp_path)})
    open_vault(settings)
    key_file(settings).chmod(0o644)

    with pytest.raises(SettingsError, match=r"mode is 0644.*chmod 600"):
        open_vault(settings)


def test_a_broken_key_is_told_without_being_shown(tmp_path: Path) -> None:
    settings = make({"data_dir": str(tmp_path), "secrets_key": "not-a-key-but-a-secret"})

    with pytest.raises(SettingsError) as caught:
        open_vault(settings)
    assert "not-a-key" not in str(caught.value)
    assert "not-a-key" not in repr(settings)


def test_a_rotation_seals_anew_and_forgets_the_old_key_last(tmp_path: Path) -> None:
    settings = make({"data_dir": str(tmp_path)})
    old = open_vault(settings)
    sealed = old.seal("x", b"1")
    between = begin_rotation(settings)
    resealed = between.seal("x", b"1")

    assert (between.open("x", sealed), between.is_current(sealed)) == (b"1", False)
    end_rotation(settings)
    assert (open_vault(settings).open("x", resealed), open_vault(settings).open("x", sealed)) == (
        b"1",
        None,
    )
    assert key_file(settings).stat().st_mode & 0o777 == 0o600


def test_the_key_may_come_from_the_environment_or_from_systemd(tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n')
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "kiemke-secrets-key").write_text(KEY + "\n")
    (credentials / "kiemke-secrets-key").chmod(0o440)

    by_environment = open_vault(load(config, {"KIEMKE_SECRETS_KEY": KEY}))
    by_systemd = open_vault(load(config, {"CREDENTIALS_DIRECTORY": str(credentials)}))

    assert by_environment.current == by_systemd.current == Vault([bytes.fromhex(KEY)]).current
    assert not (tmp_path / "keys").exists()


def test_a_named_key_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    """A new key in its place would open nothing that is sealed."""
    settings = make({"data_dir": str(tmp_path), "secrets_key_file": str(tmp_path / "gone")})

    with pytest.raises(SettingsError, match="not there"):
        open_vault(settings)
