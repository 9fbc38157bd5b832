"""The certificate authority: what it makes, who may read it, when it renews."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kiemke.server import ca
from kiemke.server.ca import (
    FIXED_NAME,
    NOT_BEFORE,
    Authority,
    format_fingerprint,
    make_next_root,
    open_authority,
    pem_sha256,
    renew_leaf,
    switch_root,
)
from kiemke.server.errors import CaError

NOW = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return open_authority(tmp_path / "ca")


def read_leaf(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.leaf_file.read_bytes())


def test_the_root_is_made_once_and_then_kept(authority: Authority) -> None:
    again = open_authority(authority.folder)

    assert again == authority
    assert pem_sha256(authority.root_pem) == authority.root_sha256


def test_no_key_can_be_read_by_others(authority: Authority) -> None:
    renew_leaf(authority, ("kk.example",), NOW)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in authority.folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


def test_the_root_and_the_leaf_begin_in_the_year_2000(authority: Authority) -> None:
    """A PC whose clock has lost its battery still trusts the server."""
    renew_leaf(authority, (), NOW)
    root = x509.load_pem_x509_certificate(authority.root_pem.encode())

    assert root.not_valid_before_utc == NOT_BEFORE == read_leaf(authority).not_valid_before_utc


def test_the_extensions_are_those_of_strict_verification(authority: Authority) -> None:
    renew_leaf(authority, (), NOW)
    root = x509.load_pem_x509_certificate(authority.root_pem.encode())
    leaf = read_leaf(authority)

    root_id = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer_id = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    usage = root.extensions.get_extension_for_class(x509.KeyUsage)
    assert issuer_id.key_identifier == root_id.digest
    assert usage.critical
    assert usage.value.key_cert_sign
    leaf.verify_directly_issued_by(root)


def test_the_leaf_carries_the_fixed_name_and_those_configured(authority: Authority) -> None:
    renew_leaf(authority, ("kk.example", "192.0.2.9", "máychủ.example"), NOW)

    names = (
        read_leaf(authority).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    )
    dns = names.get_values_for_type(x509.DNSName)
    assert dns[:2] == [FIXED_NAME, "kk.example"]
    assert "xn--mych-5na6129c.example" in dns or any(name.startswith("xn--") for name in dns)
    assert "192.0.2.9" in [str(ip) for ip in names.get_values_for_type(x509.IPAddress)]


@pytest.mark.parametrize(("days", "renewed"), [(0, False), (300, False), (306, True), (400, True)])
def test_a_leaf_is_renewed_in_its_last_sixty_days(
    authority: Authority, days: int, renewed: bool
) -> None:
    renew_leaf(authority, (), NOW)

    assert renew_leaf(authority, (), NOW + timedelta(days=days)) is renewed


def test_a_new_name_a_lost_key_and_garbage_each_make_a_new_leaf(authority: Authority) -> None:
    renew_leaf(authority, (), NOW)

    assert renew_leaf(authority, ("new.example",), NOW)
    authority.leaf_key_file.unlink()
    assert renew_leaf(authority, (), NOW)
    authority.leaf_file.write_text("garbage")
    assert renew_leaf(authority, (), NOW)
    assert not renew_leaf(authority, (), NOW)


def test_a_leaf_of_another_root_is_replaced(authority: Authority, tmp_path: Path) -> None:
    other = open_authority(tmp_path / "other")
    renew_leaf(other, (), NOW)
    authority.leaf_file.write_bytes(other.leaf_file.read_bytes())
    authority.leaf_key_file.write_bytes(other.leaf_key_file.read_bytes())

    assert renew_leaf(authority, (), NOW)


def test_a_lost_root_is_told_and_not_silently_replaced(authority: Authority) -> None:
    """A new root would shut every enrolled agent out."""
    (authority.folder / "root.pem").unlink()

    with pytest.raises(CaError, match="backup"):
        open_authority(authority.folder)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CaError, match="file"):
        open_authority(tmp_path / "file" / "ca")


def test_a_fingerprint_reads_in_pairs() -> None:
    assert format_fingerprint("0a1b2c") == "0A:1B:2C"


def test_the_next_root_is_made_once_and_changes_nothing_yet(authority: Authority) -> None:
    made = make_next_root(authority.folder)
    again = open_authority(authority.folder)

    assert make_next_root(authority.folder) == made == again.upcoming
    assert again.root_sha256 == authority.root_sha256 != made.sha256
    assert stat.S_IMODE((authority.folder / "next.key").stat().st_mode) == 0o600


def test_after_the_switch_the_next_root_signs_and_the_old_one_is_kept(
    authority: Authority,
) -> None:
    renew_leaf(authority, (), NOW)
    made = make_next_root(authority.folder)
    switched = switch_root(authority.folder)
    now = open_authority(authority.folder)

    assert switched == made
    assert (now.root_sha256, now.upcoming) == (made.sha256, None)
    assert (authority.folder / "previous.pem").read_text() == authority.root_pem
    assert renew_leaf(now, (), NOW), "the old root's leaf is of no more use"
    root = x509.load_pem_x509_certificate(now.root_pem.encode())
    read_leaf(now).verify_directly_issued_by(root)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in authority.folder.iterdir()}
    assert set(modes.values()) == {0o600}


def test_a_switch_needs_a_next_root(authority: Authority) -> None:
    with pytest.raises(CaError, match="ca next"):
        switch_root(authority.folder)


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_a_switch_that_was_cut_short_is_finished_by_asking_again(
    authority: Authority, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power may go between any two files; no key may be lost and none be mixed up."""
    made = make_next_root(authority.folder)
    write, done = ca._write_private, 0

    def write_until_the_cut(path: Path, data: bytes) -> None:
        nonlocal done
        if done == writes:
            raise OSError(5, "cut", str(path))
        done += 1
        write(path, data)

    with monkeypatch.context() as cut:
        cut.setattr(ca, "_write_private", write_until_the_cut)
        with pytest.raises(CaError, match="again"):
            switch_root(authority.folder)
    half = open_authority(authority.folder)
    if writes == 3:
        with pytest.raises(CaError, match="cut short"):
            renew_leaf(half, (), NOW)

    assert switch_root(authority.folder) == made
    now = open_authority(authority.folder)
    assert renew_leaf(now, (), NOW)
    assert (authority.folder / "previous.pem").read_text() == authority.root_pem
    assert ca._matches(authority.folder / "previous.pem", authority.folder / "previous.key")
    assert not (authority.folder / "next.key").exists()
