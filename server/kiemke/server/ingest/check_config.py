"""What a type cannot say of a visit by SSH."""

import re

from kiemke.server.ingest.incoming import BadReport
from kiemke.wire.host_key import split_key
from kiemke.wire.report import SSH_OUTCOMES, Config

MAX_FACTS, MAX_ROWS, MAX_USERS, MAX_COUNT = 20, 2_000, 500, 1_000_000
_SHA256 = re.compile("[0-9a-f]{64}")


def check_config(body: Config) -> None:
    """Raise BadReport for what is no visit."""
    if body.outcome not in SSH_OUTCOMES:
        raise BadReport(f"unknown outcome {body.outcome!r}")
    if not 0 <= body.device < 2**63:
        raise BadReport("device: out of range")
    if len(body.facts) > MAX_FACTS:
        raise BadReport(f"more than {MAX_FACTS} facts")
    if max(len(body.parts or ()), len(body.ports or ())) > MAX_ROWS:
        raise BadReport(f"more than {MAX_ROWS} parts or interfaces")
    if body.host_key is not None:
        try:
            split_key(body.host_key)
        except ValueError as error:
            raise BadReport(f"host_key: {error}") from error
    if (body.packed is None) != (body.digest is None):
        raise BadReport("a configuration and its digest travel together")
    if body.digest is not None and not _SHA256.fullmatch(body.digest):
        raise BadReport("digest: no SHA-256")
    access = body.access
    counts = [body.masked, access.snmp_writers if access is not None else None]
    if any(count is not None and not 0 <= count <= MAX_COUNT for count in counts):
        raise BadReport("a count is out of range")
    if access is not None and len(access.administrators or ()) > MAX_USERS:
        raise BadReport(f"more than {MAX_USERS} administrators")
