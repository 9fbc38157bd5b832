"""The certificate authority: what it makes, who may read it, when it renews."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from kiemke.server.ca import (
    FIXED_NAME,
    NOT_BEFORE,
    Authority,
    format_fingerprint,
    open_authority,
    pem_sha256,
    renew_leaf,
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
