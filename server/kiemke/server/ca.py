"""The server's own certificate authority: a root that agents pin, and a leaf it renews by itself.

A root is replaced in two steps: ``make_next_root`` makes the one that follows, which the server
announces to every sender it answers; ``switch_root`` makes it the one that signs.

The root begins in the year 2000 so that a PC whose clock has lost its battery still reports. Every
leaf carries the fixed name ``server.kiemke.internal``, which clients verify whatever the address.
Extensions are those that Python 3.13's strict verification asks for (RFC 5280 §4.2.1: subject and
authority key identifiers, key usage).
"""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kiemke.server.errors import CaError

FIXED_NAME = "server.kiemke.internal"
NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
ROOT_NOT_AFTER = datetime(2049, 1, 1, tzinfo=UTC)
LEAF_LIFETIME = timedelta(days=365)
RENEW_BEFORE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Root:
    """A root certificate: PEM, and the hex SHA-256 of its DER."""

    pem: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A root on disk. ``root_sha256`` is the hex SHA-256 of its DER: what tokens and agents pin.

    ``upcoming`` is the root that will follow, None until one was made.
    """

    folder: Path
    root_pem: str
    root_sha256: str
    upcoming: Root | None = None

    @property
    def leaf_file(self) -> Path:
        """PEM of the server's certificate."""
        return self.folder / "server.pem"

    @property
    def leaf_key_file(self) -> Path:
        """PEM of the server's key, mode 0600."""
        return self.folder / "server.key"


def open_authority(folder: Path) -> Authority:
    """Return the root in ``folder``, made there when there is none. Raises CaError."""
    pem_file, key_file = _pair(folder, "root")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not pem_file.exists():
            if key_file.exists():
                raise CaError(
                    f"{key_file} is there but {pem_file} is not; put the certificate back from the "
                    "backup, or move the key away to make a new root (every agent enrols again)."
                )
            _make_root(pem_file, key_file)
    except OSError as error:
        raise CaError(
            f"{error.filename}: {error.strerror}; give the server's user the folder {folder}."
        ) from error
    return read_authority(folder)


def read_authority(folder: Path) -> Authority:
    """Return the root that is in ``folder``. Raises CaError when there is none."""
    root_file, next_file = folder / "root.pem", folder / "next.pem"
    try:
        root = _read_root(root_file)
        upcoming = _read_root(next_file) if next_file.exists() else None
    except OSError as error:
        raise CaError(
            f"{error.filename}: {error.strerror}; give the server's user the folder {folder}."
        ) from error
    # A switch that was cut short may leave the root that signs already under both names.
    return Authority(folder, root.pem, root.sha256, None if upcoming == root else upcoming)


def make_next_root(folder: Path) -> Root:
    """Return the root that follows, made when there is none. Raises CaError."""
    authority = open_authority(folder)
    if authority.upcoming is None:
        try:
            _make_root(folder / "next.pem", folder / "next.key")
        except OSError as error:
            raise CaError(f"{error.filename}: {error.strerror}; nothing has changed.") from error
        authority = open_authority(folder)
    if authority.upcoming is None:
        raise CaError(f"{folder / 'next.pem'} is the root in use; run: kiemke-server ca switch")
    return authority.upcoming


def switch_root(folder: Path) -> Root:
    """Let the next root sign from now on and return it; the one before is kept as previous.pem.

    Asked again after it was cut short it goes on where it was. Raises CaError.
    """
    root, following, previous = (_pair(folder, name) for name in ("root", "next", "previous"))
    open_authority(folder)
    try:
        if not following[0].exists():
            raise CaError("there is no next root; make one first: kiemke-server ca next")
        if not _matches(*following):
            raise CaError(f"{following[1]} does not belong to {following[0]}; nothing has changed.")
        if following[0].read_bytes() != root[0].read_bytes():
            if _matches(*root):  # otherwise the key was replaced before it was cut short
                for old, kept in zip(root, previous, strict=True):
                    _write_private(kept, old.read_bytes())
            # The key first: whoever starts in between is told that the two do not belong together.
            _write_private(root[1], following[1].read_bytes())
            _write_private(root[0], following[0].read_bytes())
        for file in following:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise CaError(f"{error.filename}: {error.strerror}; run it again.") from error
    found = open_authority(folder)
    return Root(found.root_pem, found.root_sha256)


def _pair(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the files of a root's certificate and key."""
    return folder / f"{name}.pem", folder / f"{name}.key"


def _matches(pem_file: Path, key_file: Path) -> bool:
    """Tell whether a key belongs to a certificate. Raises CaError when the key is none."""
    certificate = x509.load_pem_x509_certificate(pem_file.read_bytes())
    return _load_key(key_file).public_key() == certificate.public_key()


def _read_root(file: Path) -> Root:
    """Return what a root's PEM file says. Raises OSError, CaError when it is no certificate."""
    try:
        pem = file.read_text("ascii")
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise CaError(f"{file} is no certificate; put it back from the backup.") from error
    return Root(pem, certificate.fingerprint(hashes.SHA256()).hex())


def renew_leaf(authority: Authority, names: tuple[str, ...], now: datetime) -> bool:
    """Make a leaf when there is none, it ends within 60 days or lacks a name; True when made."""
    wanted = _alternative_names(names)
    if not _needs_renewal(authority, wanted, now):
        return False
    root_key = _load_key(authority.folder / "root.key")
    root = x509.load_pem_x509_certificate(authority.root_pem.encode())
    if root_key.public_key() != root.public_key():
        raise CaError(
            f"{authority.folder / 'root.key'} does not belong to root.pem: a switch was cut short; "
            "run again: kiemke-server ca switch"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, FIXED_NAME)]))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(min(now + LEAF_LIFETIME, ROOT_NOT_AFTER))
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()),
            critical=False,
        )
        .sign(root_key, hashes.SHA256())
    )
    _write_private(authority.leaf_key_file, _key_pem(key))
    pem = certificate.public_bytes(serialization.Encoding.PEM) + authority.root_pem.encode()
    _write_private(authority.leaf_file, pem)
    return True


def server_context(authority: Authority) -> ssl.SSLContext:
    """Return a TLS context (1.2 and up) with the leaf loaded."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(authority.leaf_file, authority.leaf_key_file)
    return context


def format_fingerprint(sha256_hex: str) -> str:
    """Return a fingerprint as people compare it: upper-case pairs with colons."""
    upper = sha256_hex.upper()
    return ":".join(upper[i : i + 2] for i in range(0, len(upper), 2))


def pem_sha256(pem: str) -> str:
    """Return the hex SHA-256 of a PEM certificate's DER."""
    return sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def _make_root(pem_file: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kiemke root")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(ROOT_NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificate_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    # The key first: a root without its key could never sign, a key without root is told above.
    _write_private(key_file, _key_pem(key))
    _write_private(pem_file, certificate.public_bytes(serialization.Encoding.PEM))


def _usage(*, digital_signature: bool = False, certificate_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = [x509.DNSName(FIXED_NAME)]
    for name in dict.fromkeys((*names, "localhost", "127.0.0.1")):
        try:
            found.append(x509.IPAddress(ip_address(name)))
        except ValueError:
            if name != FIXED_NAME:
                found.append(x509.DNSName(name.encode("idna").decode("ascii")))
    return found


def _needs_renewal(authority: Authority, wanted: list[x509.GeneralName], now: datetime) -> bool:
    try:
        leaf = x509.load_pem_x509_certificate(authority.leaf_file.read_bytes())
        key = _load_key(authority.leaf_key_file)
        root = x509.load_pem_x509_certificate(authority.root_pem.encode())
        leaf.verify_directly_issued_by(root)
        held = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, CaError, x509.ExtensionNotFound, InvalidSignature):
        return True  # none, unreadable, or issued by a root that is no longer here
    if leaf.public_key() != key.public_key():
        return True
    return leaf.not_valid_after_utc - now < RENEW_BEFORE or not set(wanted) <= set(held)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise CaError(f"{path} cannot be read as a key; put it back from the backup.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CaError(f"{path} is not an EC key; put back the one this server made.")
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, data: bytes) -> None:
    """Write atomically with mode 0600: a half-written key would keep the server from starting."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
