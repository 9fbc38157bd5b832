"""The book ledger: assets, their status and custody as dated rows."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

PC_KINDS = ("desktop", "all_in_one", "laptop")
ASSET_KINDS = (
    *PC_KINDS, "tablet", "server", "printer", "copier", "scanner", "multifunction", "shredder",
    "kiosk", "citizen_pc", "meeting_pc", "camera", "ups", "switch", "router", "firewall",
    "access_point", "modem", "video_conference", "nas", "monitor", "other",
)  # fmt: skip
ASSET_STATUSES = (
    "in_stock", "in_use", "under_repair", "broken", "awaiting_disposal", "disposed", "lost",
)  # fmt: skip
# "unproven": seen and booked as a draft, no paper says whose it is. It counts nowhere until one does.
# "private" is a person's own laptop at work: counted apart, never as the office's.
OWNERSHIPS = ("owned", "borrowed", "provider", "unproven", "private")
COUNT_RESULTS = ("seen", "missing")
NO_AGENT_REASONS = ("secret", "police_network", "party_network", "off_network", "unsupported_os")


class Asset(Model):
    """One thing on the book. Prices are integer đồng, ``tag`` is the number on the sticker.

    Name, sticker, kind, price, first day of use, ownership and why it carries no agent are those said last; what
    was so on a day is in AssetFact.
    """

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=60, unique=True)
    tag = fields.CharField(max_length=60, null=True, db_index=True)
    kind = fields.CharField(max_length=30, db_index=True)
    name = fields.CharField(max_length=200)
    search_key = fields.CharField(max_length=400)
    manufacturer = fields.CharField(max_length=120, null=True)
    model = fields.CharField(max_length=120, null=True)
    serial = fields.CharField(max_length=120, null=True)
    serial_key = fields.CharField(max_length=120, null=True, db_index=True)
    mac_key = fields.CharField(max_length=12, null=True, db_index=True)
    price_dong = fields.BigIntField(null=True)
    in_use_since = fields.DateField(null=True)
    funding_source = fields.CharField(max_length=200, null=True)
    ownership = fields.CharField(max_length=20, default="owned")
    no_agent_reason = fields.CharField(max_length=30, null=True)
    created_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "asset"


class AssetStatus(Dated):
    """What condition an asset was in over a span of days (see ASSET_STATUSES)."""

    asset = reference("Asset", "statuses")
    status = fields.CharField(max_length=30)

    class Meta:
        """Table name."""

        table = "asset_status"


class Custody(Dated):
    """Who answers for an asset: always a unit, with ``official`` it is personal custody.

    Several open rows of one asset with different officials are shared custody. ``at_place`` is a
    place of the unit that answers for it (a one-stop desk), ``place`` free text (a room).
    """

    asset = reference("Asset", "custodies")
    unit = reference("Unit", "custodies")
    official = reference("Official", "custodies", null=True)
    place = fields.CharField(max_length=200, null=True)
    at_place = reference("Place", "custodies", null=True)

    class Meta:
        """Table name."""

        table = "custody"


class HandoverMinutes(Model):
    """A handover that was written, until both sides have signed its minutes.

    ``assets_json`` lists the codes that changed hands; a side is a unit, with an official in it or
    without. ``voided_at_ms`` is when the handover was taken back, None while it stands.
    """

    id = fields.BigIntField(primary_key=True)
    giver_unit = reference("Unit", "given")
    giver_official = reference("Official", "given", null=True)
    receiver_unit = reference("Unit", "received")
    receiver_official = reference("Official", "received", null=True)
    day = fields.DateField()
    instrument = fields.CharField(max_length=200)
    assets_json = fields.TextField()
    recorded_at_ms = fields.BigIntField()
    recorded_by = fields.CharField(max_length=100)
    signed_on = fields.DateField(null=True)
    signed_recorded_by = fields.CharField(max_length=100, null=True)
    voided_at_ms = fields.BigIntField(null=True)
    voided_by = fields.CharField(max_length=100, null=True)

    class Meta:
        """Table name."""

        table = "handover"


class CountedAsset(Dated):
    """A person's count of an asset: seen or missing on ``valid_from`` (a one-day row).

    ``counted_by`` names who stood there, None where the paper alone says it. ``found``, ``place``,
    ``seen_unit`` and ``note`` say more of what was seen; ``stock_take`` is the stock-take it was said in,
    None for a count of its own.
    """

    asset = reference("Asset", "counts")
    result = fields.CharField(max_length=10)
    counted_by = fields.CharField(max_length=200, null=True)
    stock_take = reference("StockTake", "counts", null=True)
    found = fields.CharField(max_length=10, null=True)
    place = fields.CharField(max_length=200, null=True)
    seen_unit = reference("Unit", "counts", null=True)
    note = fields.CharField(max_length=400, null=True)

    class Meta:
        """Table name."""

        table = "counted_asset"


class AssetFact(Dated):
    """What the papers say of an asset over a span of days: its price, its first use, whose it is.

    Its name, the number on its sticker, its kind and why it may carry no agent too.

    ``owner_name`` is the lender or provider of what is not the office's own, ``return_on`` the day
    it is due back. The asset's own columns repeat what was said last; one without rows here was
    never otherwise.
    """

    asset = reference("Asset", "facts")
    price_dong = fields.BigIntField(null=True)
    in_use_since = fields.DateField(null=True)
    ownership = fields.CharField(max_length=20)
    owner_name = fields.CharField(max_length=200, null=True)
    return_on = fields.DateField(null=True)
    name = fields.CharField(max_length=200, null=True)
    tag = fields.CharField(max_length=60, null=True)
    kind = fields.CharField(max_length=30, null=True)
    no_agent_reason = fields.CharField(max_length=30, null=True)

    class Meta:
        """Table name."""

        table = "asset_fact"
