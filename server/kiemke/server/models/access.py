"""Who may do what: users, tokens, and the audit entries as stored bytes."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import reference

ROLES = ("admin", "it", "auditor", "viewer")
TOKEN_KINDS = ("session", "api", "scrape")


class User(Model):
    """A person or program that signs in. ``unit`` limits what is seen to that subtree, None is all."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100, unique=True)
    password_hash = fields.CharField(max_length=300)
    role = fields.CharField(max_length=20)
    unit = reference("Unit", "users", null=True)
    created_at_ms = fields.BigIntField()
    disabled_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "app_user"


class AccessToken(Model):
    """A bearer token of a user, only the SHA-256 of its secret is kept."""

    id = fields.BigIntField(primary_key=True)
    public_id = fields.CharField(max_length=40, unique=True)
    secret_sha256 = fields.CharField(max_length=64)
    user = reference("User", "tokens")
    kind = fields.CharField(max_length=20)
    label = fields.CharField(max_length=100, null=True)
    created_at_ms = fields.BigIntField()
    expires_at_ms = fields.BigIntField()
    revoked_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "access_token"


class AuditEntry(Model):
    """One act, as the very bytes that stand for it (UTF-8 JSON with sorted keys). Append-only."""

    id = fields.BigIntField(primary_key=True)
    at_ms = fields.BigIntField(db_index=True)
    entry = fields.BinaryField()
    sha256 = fields.CharField(max_length=64)

    class Meta:
        """Table name."""

        table = "audit_entry"


class AuditLink(Model):
    """An audit entry's place in the chain: ``chain_sha256`` = SHA-256(previous chain + entry's).

    Places are given by the one sealer in the order it finds entries, so that two servers writing at
    once make one chain. ``signature`` (Ed25519, base64) stands on the last place of each sealing.
    """

    place = fields.BigIntField(primary_key=True, generated=False)
    entry = reference("AuditEntry", "places")
    chain_sha256 = fields.CharField(max_length=64)
    sealed_at_ms = fields.BigIntField()
    signature = fields.CharField(max_length=100, null=True)

    class Meta:
        """Table name."""

        table = "audit_link"
        unique_together = (("entry_id",),)


class ImportRun(Model):
    """One applied import: which file, how many rows, by whom."""

    id = fields.BigIntField(primary_key=True)
    template = fields.CharField(max_length=40)
    file_name = fields.CharField(max_length=200)
    file_sha256 = fields.CharField(max_length=64)
    row_count = fields.IntField()
    applied_at_ms = fields.BigIntField()
    applied_by = fields.CharField(max_length=100)

    class Meta:
        """Table name."""

        table = "import_run"
