"""The observation ledger: sources and what they saw, keyed by source or device, never by machine."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

SOURCE_KINDS = ("agent", "collector")
SOURCE_STATES = ("pending", "approved", "quarantined", "revoked")


class EnrolmentToken(Model):
    """A pasteable token that admits sources of one kind to one unit, some times, until some day."""

    id = fields.BigIntField(primary_key=True)
    public_id = fields.CharField(max_length=40, unique=True)
    secret_sha256 = fields.CharField(max_length=64)
    kind = fields.CharField(max_length=20)
    unit = reference("Unit", "enrolment_tokens")
    uses_left = fields.IntField()
    expires_at_ms = fields.BigIntField()
    approves = fields.BooleanField(default=False)
    created_at_ms = fields.BigIntField()
    created_by = fields.CharField(max_length=100, null=True)
    revoked_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "enrolment_token"


class Source(Model):
    """One install of an agent or a collector. Only approved sources count anywhere.

    ``probe_since_ms``: an agent that is named its site's probe, since when; None of every other one.
    """

    id = fields.BigIntField(primary_key=True)
    public_id = fields.CharField(max_length=40, unique=True)
    kind = fields.CharField(max_length=20)
    state = fields.CharField(max_length=20, db_index=True)
    state_reason = fields.CharField(max_length=300, null=True)
    install_id = fields.CharField(max_length=64)
    secret_sha256 = fields.CharField(max_length=64)
    token = reference("EnrolmentToken", "sources")
    unit = reference("Unit", "sources")
    hostname = fields.CharField(max_length=200, null=True)
    created_at_ms = fields.BigIntField()
    approved_at_ms = fields.BigIntField(null=True)
    approved_by = fields.CharField(max_length=100, null=True)
    probe_since_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name and the key that makes enrolment repeatable."""

        table = "source"
        unique_together = (("token_id", "install_id"),)


class OneShot(Model):
    """A PC that cannot run the agent, as a script saw it on one day.

    Its source (kind "one_shot") is of that day alone: it can never sign in. ``taken_by`` is who went to
    the PC, ``recorded_by`` who brought the file.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "surveys")
    day = fields.DateField()
    taken_by = fields.CharField(max_length=100)
    file_name = fields.CharField(max_length=200)
    file_sha256 = fields.CharField(max_length=64)
    recorded_at_ms = fields.BigIntField()
    recorded_by = fields.CharField(max_length=100)

    class Meta:
        """Table name."""

        table = "one_shot"
        unique_together = (("source_id", "file_sha256"),)


class SourceNow(Model):
    """The hot row of a source: the lock of its ingest and when it was last heard."""

    source_id = fields.BigIntField(primary_key=True, generated=False)
    last_received_at_ms = fields.BigIntField(null=True)
    last_true_at_ms = fields.BigIntField(null=True)
    last_boot_id = fields.CharField(max_length=64, null=True)
    last_address = fields.CharField(max_length=45, null=True)
    last_sample_json = fields.TextField(null=True)
    inventory_at_ms = fields.BigIntField(null=True)
    identity_changed_at_ms = fields.BigIntField(null=True)
    resolved_at_ms = fields.BigIntField(null=True)
    changed_at_ms = fields.BigIntField(db_index=True)

    class Meta:
        """Table name."""

        table = "source_now"


class SourceStream(Model):
    """How far a stream of a source is acknowledged. ``stream`` is an unsigned 64-bit decimal text.

    ``missing`` lists ranges below ``last_seq`` that never came ("3-5,9-9"): the sender no longer had
    them, or they are still under way. A late one is taken once, ``gap_reports`` counts what is left.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "streams")
    stream = fields.CharField(max_length=20)
    last_seq = fields.BigIntField()
    missing = fields.TextField(default="")
    gap_reports = fields.BigIntField(default=0)
    updated_at_ms = fields.BigIntField(db_index=True)

    class Meta:
        """Table name."""

        table = "source_stream"
        unique_together = (("source_id", "stream"),)


class SourceBoot(Model):
    """The wall-clock error of one boot of a source: true time = sender's time + offset."""

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "boots")
    boot_id = fields.CharField(max_length=64)
    offset_ms = fields.BigIntField()
    booted_at_ms = fields.BigIntField()
    updated_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "source_boot"
        unique_together = (("source_id", "boot_id"),)
        indexes = (("boot_id",),)


class SourceSection(Model):
    """The latest rows of one inventory section of a source, as JSON text, opaque token beside."""

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "sections")
    section = fields.CharField(max_length=40)
    status = fields.CharField(max_length=20)
    token = fields.CharField(max_length=128, null=True)
    detail = fields.CharField(max_length=500, null=True)
    rows_json = fields.TextField(null=True)
    observed_at_ms = fields.BigIntField()
    changed_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "source_section"
        unique_together = (("source_id", "section"),)
        indexes = (("changed_at_ms",),)


class SoftwareTitle(Model):
    """One name, version and publisher of software, shared by all sources. Carries no counters.

    ``plain_name`` and ``plain_publisher`` are the raw ones as they compare (``wire/plain_words.toml``);
    both None in a title of an earlier version of kiemke that ingest has not come to yet.
    """

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=200)
    version = fields.CharField(max_length=100)
    publisher = fields.CharField(max_length=200)
    plain_name = fields.CharField(max_length=200, null=True)
    plain_publisher = fields.CharField(max_length=200, null=True)

    class Meta:
        """Table name; absent version or publisher is stored as "" so that the key is one."""

        table = "software_title"
        unique_together = (("name", "version", "publisher"),)
        indexes = (("plain_name",),)


class SourceSoftware(Model):
    """Which titles a source has installed.

    What it says of its copy: ``kind`` is "component" or "update" for what is no program of its own; ``account`` whom alone it is
    installed for; ``installed_on`` YYYY-MM-DD.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "software")
    title = reference("SoftwareTitle", "sources")
    kind = fields.CharField(max_length=20, null=True)
    architecture = fields.CharField(max_length=20, null=True)
    origin = fields.CharField(max_length=20, null=True)
    installed_on = fields.CharField(max_length=10, null=True)
    account = fields.CharField(max_length=200, null=True)
    size_bytes = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "source_software"
        unique_together = (("source_id", "title_id"),)
        indexes = (("title_id", "source_id", "kind"),)


class SourceEvent(Model):
    """Something a source reported as having happened: boot, shutdown, link-speed change, ..."""

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "events")
    at_ms = fields.BigIntField()
    clock = fields.CharField(max_length=10)
    name = fields.CharField(max_length=40)
    detail_json = fields.TextField()

    class Meta:
        """Table name."""

        table = "source_event"
        indexes = (("source_id", "at_ms"),)


class RejectedReport(Model):
    """A report that could never be applied, kept raw with its reason."""

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "rejected")
    stream = fields.CharField(max_length=20)
    seq = fields.BigIntField()
    kind = fields.CharField(max_length=40, null=True)
    reason = fields.CharField(max_length=500)
    report_bytes = fields.BinaryField()
    received_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "rejected_report"


class Machine(Model):
    """A PC found behind one or more sources. What it is lives in the sources' sections."""

    id = fields.BigIntField(primary_key=True)
    created_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "machine"


class MachineSource(Dated):
    """Which source belongs to which machine, with the evidence that decided it.

    ``stay`` counts the sets of hardware one install has run on, from 0. A row that came by a merger
    names it (``decision_id``) and the row it took the place of (``replaces_id``).
    """

    machine = reference("Machine", "source_rows")
    source = reference("Source", "machine_rows")
    decided_by = fields.CharField(max_length=40)
    evidence_json = fields.TextField()
    stay = fields.IntField(default=0, db_default=0)
    decision_id = fields.BigIntField(null=True, db_index=True)
    replaces_id = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "machine_source"


class AssetMatch(Dated):
    """Which machine is which asset, with who or what decided it."""

    asset = reference("Asset", "matches")
    machine = reference("Machine", "matches")
    decided_by = fields.CharField(max_length=40)
    evidence_json = fields.TextField()

    class Meta:
        """Table name."""

        table = "asset_match"


class DeviceMatch(Dated):
    """Which network device is which asset, with who or what decided it."""

    asset = reference("Asset", "device_matches")
    device = reference("Device", "matches")
    decided_by = fields.CharField(max_length=40)
    evidence_json = fields.TextField()

    class Meta:
        """Table name."""

        table = "device_match"


class MatchRefusal(Dated):
    """A machine and an asset that a person said are not one: nothing matches them by itself again."""

    asset = reference("Asset", "refusals")
    machine = reference("Machine", "refusals")

    class Meta:
        """Table name."""

        table = "match_refusal"


class HardwareSeen(Model):
    """The parts of a source's section as last compared, in one form, as JSON text.

    ``changed_at_ms`` is that of the section when it was compared: another one there is due.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "hardware_seen")
    section = fields.CharField(max_length=40)
    parts_json = fields.TextField()
    seen_at_ms = fields.BigIntField()
    changed_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "hardware_seen"
        unique_together = (("source_id", "section"),)


class HardwareChange(Model):
    """Parts of a machine that went or came between two inventories, whole before and after.

    Open until somebody settles it with a paper or a word why.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "hardware_changes")
    section = fields.CharField(max_length=40)
    before_json = fields.TextField()
    after_json = fields.TextField()
    since_ms = fields.BigIntField()
    seen_at_ms = fields.BigIntField(db_index=True)
    settled_at_ms = fields.BigIntField(null=True)
    settled_by = fields.CharField(max_length=100, null=True)
    settled_paper = fields.CharField(max_length=200, null=True)

    class Meta:
        """Table name."""

        table = "hardware_change"


class Finding(Model):
    """Something a person should look at. One open finding per (kind, subject).

    ``evidence_json`` holds both sides and the figures, where there are such. ``unit`` is the lowest
    that all it names stands below; without one only who may see everything sees it. ``detail`` is in
    English where ``detail_vi`` is there beside it, else alike in both languages.
    """

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=40)
    subject = fields.CharField(max_length=80)
    detail = fields.CharField(max_length=500)
    detail_vi = fields.CharField(max_length=500, null=True)
    unit = reference("Unit", "findings", null=True)
    opened_at_ms = fields.BigIntField()
    updated_at_ms = fields.BigIntField()
    closed_at_ms = fields.BigIntField(null=True)
    evidence_json = fields.TextField(null=True)

    class Meta:
        """Table name."""

        table = "finding"
        indexes = (("kind", "subject"),)
