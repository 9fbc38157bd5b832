"""Who may do what: users, tokens, and the audit entries as stored bytes."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

ROLES = ("admin", "it", "auditor", "viewer")
TOKEN_KINDS = ("session", "api", "scrape")


class User(Model):
    """A person or program that signs in. ``unit`` limits what is seen to that subtree, None is all.

    ``role`` and ``unit`` are the right that has no end ("none": only grants); further ones are rows of
    UserGrant. ``totp_secret`` is sealed by the key of the data folder; it counts once it is confirmed,
    and ``totp_last_step`` is the newest 30-second step whose code was used (RFC 6238 §5.2).
    """

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100, unique=True)
    password_hash = fields.CharField(max_length=300)
    role = fields.CharField(max_length=20)
    unit = reference("Unit", "users", null=True)
    created_at_ms = fields.BigIntField()
    disabled_at_ms = fields.BigIntField(null=True)
    totp_secret = fields.CharField(max_length=200, null=True)
    totp_confirmed_at_ms = fields.BigIntField(null=True)
    totp_last_step = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "app_user"


class UserGrant(Dated):
    """A further right of a user for a span of days: a role over a unit's subtree, None is all.

    ``approves``: may decide what waits for a second person there (see Approval).
    """

    user = reference("User", "grants")
    role = fields.CharField(max_length=20)
    unit = reference("Unit", "grants", null=True)
    approves = fields.BooleanField(default=False)

    class Meta:
        """Table name."""

        table = "user_grant"


class RecoveryCode(Model):
    """A code that stands in once for a lost TOTP device, only its SHA-256 is kept."""

    id = fields.BigIntField(primary_key=True)
    user = reference("User", "recovery_codes")
    code_sha256 = fields.CharField(max_length=64)
    used_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "recovery_code"


class AccessToken(Model):
    """A bearer token of a user, only the SHA-256 of its secret is kept.

    ``role`` and ``unit`` narrow what its user may; None is all of it.
    """

    id = fields.BigIntField(primary_key=True)
    public_id = fields.CharField(max_length=40, unique=True)
    secret_sha256 = fields.CharField(max_length=64)
    user = reference("User", "tokens")
    kind = fields.CharField(max_length=20)
    label = fields.CharField(max_length=100, null=True)
    created_at_ms = fields.BigIntField()
    expires_at_ms = fields.BigIntField()
    revoked_at_ms = fields.BigIntField(null=True)
    role = fields.CharField(max_length=20, null=True)
    unit = reference("Unit", "tokens", null=True)

    class Meta:
        """Table name."""

        table = "access_token"


APPROVAL_STATES = ("waiting", "approved", "refused", "withdrawn")


class Approval(Model):
    """A change that waits for a second person. ``payload_json`` is what its kind needs to make it.

    ``unit`` is where it belongs (None: only who may see everything decides). ``answer`` is what the
    decider said.
    """

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=40)
    subject = fields.CharField(max_length=100, db_index=True)
    unit = reference("Unit", "approvals", null=True)
    payload_json = fields.TextField()
    instrument = fields.CharField(max_length=200)
    state = fields.CharField(max_length=20, db_index=True)
    asked_at_ms = fields.BigIntField()
    asked_by = reference("User", "approvals_asked")
    decided_at_ms = fields.BigIntField(null=True)
    decided_by = reference("User", "approvals_decided", null=True)
    answer = fields.CharField(max_length=500, null=True)

    class Meta:
        """Table name."""

        table = "approval"


class PersonKey(Model):
    """The key of one official's personal values in the audit log, None once it was destroyed.

    Without it the values cannot be read by anybody, and the log's chain is as it was.
    """

    official = reference("Official", "keys")
    id = fields.BigIntField(primary_key=True)
    secret = fields.CharField(max_length=64, null=True)
    created_at_ms = fields.BigIntField()
    destroyed_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "person_key"
        unique_together = (("official_id",),)


class AuditTouched(Model):
    """A ledger's row that was written and has no audit entry yet, filled by triggers.

    ``before_json`` is the row as it was, None for a new one; ``turn`` is the transaction
    (PostgreSQL). A change with an entry takes its rows away before it commits: what stays was changed
    behind the log's back.
    """

    id = fields.BigIntField(primary_key=True)
    table_name = fields.CharField(max_length=40)
    row_id = fields.BigIntField()
    before_json = fields.TextField(null=True)
    turn = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "audit_touched"


class AuditEntry(Model):
    """One act, as the very bytes that stand for it (UTF-8 JSON with sorted keys). Append-only."""

    id = fields.BigIntField(primary_key=True)
    at_ms = fields.BigIntField(db_index=True)
    entry = fields.BinaryField()
    sha256 = fields.CharField(max_length=64)

    class Meta:
        """Table name."""

        table = "audit_entry"


class AuditUnit(Model):
    """A unit that an audit entry concerns, None: one that belongs to no unit, or cannot be told.

    Made from the entries (see domain.audit_units), which alone count.
    """

    id = fields.BigIntField(primary_key=True)
    entry = reference("AuditEntry", "units")
    unit = reference("Unit", "audit_entries", null=True)

    class Meta:
        """Table name."""

        table = "audit_unit"
        unique_together = (("entry_id", "unit_id"),)


class AuditAbout(Model):
    """What an audit entry is asked for by, cut to 200 characters. Made from the entry, which alone counts."""

    id = fields.BigIntField(primary_key=True)
    entry_id = fields.BigIntField(unique=True)
    at_ms = fields.BigIntField()
    who = fields.CharField(max_length=200)
    act = fields.CharField(max_length=200)
    subject = fields.CharField(max_length=200)

    class Meta:
        """Table name; the other indexes are made in the migration (their order is bytes)."""

        table = "audit_about"
        indexes = (("who", "entry_id"),)


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


class ImportMap(Model):
    """Which column of a source's sheets is which column of a template, as a person agreed to it.

    ``fingerprint`` is of the sheet's headings; ``columns_json`` maps heading keys to column names.
    """

    id = fields.BigIntField(primary_key=True)
    template = fields.CharField(max_length=40)
    fingerprint = fields.CharField(max_length=64)
    columns_json = fields.TextField()
    file_name = fields.CharField(max_length=200)
    saved_at_ms = fields.BigIntField()
    saved_by = fields.CharField(max_length=100)

    class Meta:
        """Table name."""

        table = "import_map"
        unique_together = (("template", "fingerprint"),)
