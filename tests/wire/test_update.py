"""Signed releases: RFC 8032's own vectors, what is no signature, and manifests that are none."""

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kiemke.wire import ed25519
from kiemke.wire.update import (
    Manifest,
    ManifestError,
    Signed,
    bucket_of,
    manifest_text,
    message_of,
    number_of,
    read_signed,
)

# RFC 8032, 7.1: public key, message, signature of tests 1, 2, 3 and "SHA(abc)".
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)
MANIFEST = Manifest(
    "0.2.0",
    "debian-amd64",
    "kiemke-agent_0.2.0_amd64.deb",
    1000,
    "ab" * 32,
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 4, 1, tzinfo=UTC),
)


@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_rfc_8032_are_true_and_untrue_with_one_bit_changed(
    vector: tuple[str, str, str],
) -> None:
    key, message, signature = (bytes.fromhex(part) for part in vector)

    assert ed25519.is_true(key, message, signature)
    assert not ed25519.is_true(key, message + b"x", signature)
    assert not ed25519.is_true(key, message, bytes([signature[0] ^ 1]) + signature[1:])
    assert not ed25519.is_true(key, message, signature[:40] + b"\0" + signature[41:])
    assert not ed25519.is_true(bytes([key[0] ^ 1]) + key[1:], message, signature)


def test_what_has_the_right_form_and_is_no_signature_is_refused() -> None:
    """A second writing of the same number, keys of small order, points off the curve, wrong lengths."""
    key, message, signature = (bytes.fromhex(part) for part in VECTORS[2])
    number = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    again = signature[:32] + number.to_bytes(32, "little")
    small = (1).to_bytes(32, "little")  # the neutral point: any R = S*B would fit
    past = (ed25519.P + 1).to_bytes(32, "little")  # y is not below p

    assert not ed25519.is_true(key, message, again)
    assert not ed25519.is_true(small, message, small + bytes(32))
    assert not ed25519.is_true(past, message, past + bytes(32))
    assert not ed25519.is_true((2).to_bytes(32, "little"), message, signature)
    assert not ed25519.is_true(key, message, signature[:-1])
    assert not ed25519.is_true(key[:-1], message, signature)
    assert not ed25519.is_true(key, message, b"")


def test_every_key_and_commitment_of_small_order_is_refused_or_proves_nothing() -> None:
    """The eight points of small order: S = 0 and R = such a point would be true of every message."""
    found = ed25519._point((4).to_bytes(32, "little"))
    number = 4
    while found is None or ed25519._is_same(
        ed25519._times(4, ed25519._times(ed25519.ORDER, found)), ed25519.NEUTRAL
    ):
        number += 1
        found = ed25519._point(number.to_bytes(32, "little"))
    torsion = ed25519._times(ed25519.ORDER, found)
    keys = {_encoded(ed25519._times(n, torsion)) for n in range(8)}

    assert len(keys) == 8
    for key in keys:
        for commitment in keys:
            assert not ed25519.is_true(key, b"any", commitment + bytes(32))
    genuine, message, signature = (bytes.fromhex(part) for part in VECTORS[1])
    for commitment in keys:
        assert not ed25519.is_true(genuine, message, commitment + signature[32:])


def _encoded(point: ed25519.Point) -> bytes:
    inverse = pow(point[2], -1, ed25519.P)
    x, y = point[0] * inverse % ed25519.P, point[1] * inverse % ed25519.P
    return (y | (x & 1) << 255).to_bytes(32, "little")


@settings(max_examples=15)
@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.integers(0, 511))
def test_it_agrees_with_the_library_that_signs(message: bytes, seed: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    signature = private.sign(message)
    spoiled = bytearray(signature)
    spoiled[bit // 8] ^= 1 << bit % 8

    assert ed25519.is_true(public, message, signature)
    assert not ed25519.is_true(public, message, bytes(spoiled))


def test_a_signed_manifest_comes_back_as_it_was_and_is_by_its_key_alone() -> None:
    private, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    text = manifest_text(MANIFEST)
    data = Signed(MANIFEST, text, private.sign(message_of(text))).encode()

    found = read_signed(data)

    assert found.manifest == MANIFEST
    assert found.is_by(private.public_key().public_bytes_raw())
    assert not found.is_by(other.public_key().public_bytes_raw())
    # One figure of what was signed is another: it is the same manifest to nobody.
    assert not read_signed(data.replace(b"0.2.0", b"0.9.0")).is_by(
        private.public_key().public_bytes_raw()
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "0.2"),
        ("version", "0.2.0-beta"),
        ("version", "01.2.0"),
        ("version", 2),
        ("system", "plan9"),
        ("file", "../../etc/passwd"),
        ("file", "a b"),
        ("sha256", "AB" * 32),
        ("size_bytes", 0),
        ("size_bytes", True),
        ("size_bytes", 1 << 40),
        ("signed_at", "2026-03-01T00:00:00"),
        ("expires_at", "2026-02-01T00:00:00+00:00"),
        ("expires_at", None),
        ("version", "1\N{ARABIC-INDIC DIGIT THREE}.0.0"),
        ("signed_at", "0001-01-01T00:00:00+14:00"),
        ("file", "\ud800"),
    ],
)
def test_a_manifest_with_a_field_that_cannot_be_is_none(field: str, value: object) -> None:
    fields = json.loads(manifest_text(MANIFEST)) | {field: value}
    text = json.dumps(fields, ensure_ascii=field != "file")
    data = json.dumps({"manifest": text, "signature": "00" * 64}).encode()

    with pytest.raises(ManifestError):
        read_signed(data)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"manifest": "[]", "signature": ""}', b"[" * 4000, b" " * 5000]
)
def test_what_is_no_manifest_at_all_is_told(data: bytes) -> None:
    with pytest.raises(ManifestError):
        read_signed(data)


def test_versions_are_compared_by_their_numbers() -> None:
    assert number_of("0.10.0") > number_of("0.9.12")


def test_a_stage_of_ten_per_cent_is_a_tenth_and_holds_those_of_one_per_cent() -> None:
    sources = [f"{n:016x}" for n in range(20_000)]
    first = {one for one in sources if bucket_of(one, "0.2.0") < 1}
    tenth = {one for one in sources if bucket_of(one, "0.2.0") < 10}
    next_first = {one for one in sources if bucket_of(one, "0.3.0") < 1}

    assert (len(first), len(tenth), len(first & next_first)) == (182, 2044, 1)
    assert first < tenth
