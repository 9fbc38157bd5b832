"""The organisation ledger: units and officials as dated versions, memberships, absences, targets."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

UNIT_TYPES = (
    "tinh", "thanh_pho", "huyen", "quan", "thi_xa", "xa", "phuong", "thi_tran", "dac_khu",
    "phong", "don_vi_su_nghiep", "cum", "khac",
)  # fmt: skip
OFFICIAL_KINDS = ("can_bo", "cong_chuc", "vien_chuc", "hop_dong")
DUTIES = ("it_officer", "records_clerk", "one_stop_desk")
ENDINGS = ("left", "retired")
PLACE_KINDS = (
    "one_stop_desk", "office_room", "meeting_room", "server_room", "store", "reception", "other",
)  # fmt: skip
ABSENCE_REASONS = ("leave", "study", "suspended", "needs_no_computer", "equipped_by_ministry")


class Unit(Model):
    """The immutable identity of a unit, what it is called and where it stands is in its versions."""

    id = fields.BigIntField(primary_key=True)
    created_at_ms = fields.BigIntField()
    demo = fields.BooleanField(default=False)

    class Meta:
        """Table name."""

        table = "unit"


class UnitVersion(Dated):
    """Code, name, type and parent of a unit over a span of days. ``parent`` None is a root."""

    unit = reference("Unit", "versions")
    parent = reference("Unit", "child_versions", null=True)
    code = fields.CharField(max_length=40, db_index=True)
    name = fields.CharField(max_length=200)
    type = fields.CharField(max_length=30)
    sort_key = fields.CharField(max_length=800)
    search_key = fields.CharField(max_length=400)

    class Meta:
        """Table name."""

        table = "unit_version"


SUCCESSION_KINDS = ("merge", "split", "assign")


class UnitSuccession(Dated):
    """Which unit came of which, from ``valid_from`` on: the decision is the ``instrument``.

    A split has a row per part, and one for the unit that holds what is not assigned yet.
    """

    unit = reference("Unit", "successions")
    successor = reference("Unit", "origins")
    kind = fields.CharField(max_length=20)

    class Meta:
        """Table name."""

        table = "unit_succession"


class Place(Model):
    """The immutable identity of a place: a one-stop desk, a meeting room, a server room, a store."""

    id = fields.BigIntField(primary_key=True)
    created_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "place"


class PlaceVersion(Dated):
    """Code, name, kind (see PLACE_KINDS) and unit of a place over a span of days."""

    place = reference("Place", "versions")
    unit = reference("Unit", "place_versions")
    code = fields.CharField(max_length=40, db_index=True)
    name = fields.CharField(max_length=200)
    kind = fields.CharField(max_length=30)
    sort_key = fields.CharField(max_length=800)
    search_key = fields.CharField(max_length=400)

    class Meta:
        """Table name."""

        table = "place_version"


class Official(Model):
    """A person who holds a post. ``account`` is the login name that stands for this person, if any.

    The plain fields are those of today, kept beside for joins; their history is OfficialVersion.
    """

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=40, unique=True)
    name = fields.CharField(max_length=200)
    sort_key = fields.CharField(max_length=800)
    search_key = fields.CharField(max_length=400)
    phone = fields.CharField(max_length=30, null=True)
    mailbox = fields.CharField(max_length=200, null=True)
    account = fields.CharField(max_length=100, null=True, db_index=True)
    created_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "official"
        indexes = (("sort_key", "id"),)


class OfficialVersion(Dated):
    """Who an official was over a span of days: name, phone, mailbox, account.

    The parts of the name (họ, đệm, tên) are None where they follow from the name: its first word, its
    last, and what is between.
    """

    official = reference("Official", "versions")
    name = fields.CharField(max_length=200)
    family_name = fields.CharField(max_length=100, null=True)
    middle_name = fields.CharField(max_length=100, null=True)
    given_name = fields.CharField(max_length=100, null=True)
    phone = fields.CharField(max_length=30, null=True)
    mailbox = fields.CharField(max_length=200, null=True)
    account = fields.CharField(max_length=100, null=True)

    class Meta:
        """Table name."""

        table = "official_version"


class Membership(Dated):
    """An official's place in a unit: kind (see OFFICIAL_KINDS) and post. Coverage counts primaries.

    One that is not primary is part-time duty (kiêm nhiệm), ``duty`` (see DUTIES) says of what sort,
    if of one. ``ended_as`` (see ENDINGS) says why it ended, None for a move or when nobody said,
    ``ended_by`` the paper that ended it.
    """

    official = reference("Official", "memberships")
    unit = reference("Unit", "memberships")
    kind = fields.CharField(max_length=30)
    post = fields.CharField(max_length=200, null=True)
    is_primary = fields.BooleanField(default=True)
    duty = fields.CharField(max_length=30, null=True)
    ended_as = fields.CharField(max_length=20, null=True)
    ended_by = fields.CharField(max_length=200, null=True)

    class Meta:
        """Table name."""

        table = "membership"


class Absence(Dated):
    """Why an official is left out of the population over a span of days (see ABSENCE_REASONS)."""

    official = reference("Official", "absences")
    reason = fields.CharField(max_length=40)

    class Meta:
        """Table name."""

        table = "absence"


class CoverageTarget(Dated):
    """What share of which kinds a unit's subtree must reach.

    ``kinds`` is a comma list of OFFICIAL_KINDS; ``measure`` is "coverage" (persons with a PC) or
    "ratio" (PCs per person); ``target_thousandths`` 900 is 90 %; ``source_text`` names the paper.
    """

    unit = reference("Unit", "targets")
    measure = fields.CharField(max_length=20)
    kinds = fields.CharField(max_length=100)
    target_thousandths = fields.IntField()
    source_text = fields.CharField(max_length=300, null=True)

    class Meta:
        """Table name."""

        table = "coverage_target"
