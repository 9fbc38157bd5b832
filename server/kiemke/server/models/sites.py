"""What may be polled where, and with what: registered subnets, sealed secrets, who was given them."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

SECRET_KINDS = ("snmp", "ssh")


class SiteSubnet(Dated):
    """A subnet of a unit (in CIDR form) where its devices stand, or with ``deny`` never looked at.

    ``note`` says whose it is ("police", "party", ...). A row holds for the unit and all below it.
    ``authority`` is the unit whose IT registered it, None is everything: a subnet opens the secrets of
    units below it only, so that nobody can have a secret of those above sent where he likes.
    """

    unit = reference("Unit", "subnets")
    place = reference("Place", "subnets", null=True)
    authority = reference("Unit", "subnets_registered", null=True)
    subnet = fields.CharField(max_length=50)
    deny = fields.BooleanField(default=False)
    note = fields.CharField(max_length=200, null=True)

    class Meta:
        """Table name."""

        table = "site_subnet"


class Secret(Model):
    """A community, key or password by name, sealed by a key outside the database (see ``vault``).

    It serves the devices of ``unit`` and of the units below that name it. ``sealed`` is None once it
    was removed; ``gone`` is 0 while it is there, else its own id, so that a name can be used again.
    ``can_change``: whoever holds it may change devices (None: not known). ``well_known``: the value is
    one that everybody tries. ``version`` grows with each rotation.
    """

    id = fields.BigIntField(primary_key=True)
    unit = reference("Unit", "secrets")
    name = fields.CharField(max_length=60)
    kind = fields.CharField(max_length=10)
    sealed = fields.TextField(null=True)
    version = fields.IntField(default=1)
    can_change = fields.BooleanField(null=True)
    well_known = fields.BooleanField(default=False)
    created_at_ms = fields.BigIntField()
    changed_at_ms = fields.BigIntField()
    removed_at_ms = fields.BigIntField(null=True)
    gone = fields.BigIntField(default=0)

    class Meta:
        """Table name."""

        table = "secret"
        unique_together = (("unit_id", "kind", "name", "gone"),)


class SecretHandout(Model):
    """A version of a secret that was given to a source, first and last when. Never deleted."""

    id = fields.BigIntField(primary_key=True)
    secret = reference("Secret", "handouts")
    source = reference("Source", "handouts")
    version = fields.IntField()
    first_at_ms = fields.BigIntField()
    last_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "secret_handout"
        unique_together = (("secret_id", "source_id", "version"),)


class NetworkStay(Model):
    """The addresses of a source from ``first_day`` through ``last_day`` (None: still).

    Written only when they change: on the day of a change both stays hold. ``addresses`` is "" where
    nothing is known. ``apart`` is set by a job where they may be another unit's than the book's.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "network_stays")
    addresses = fields.CharField(max_length=400)
    first_day = fields.DateField()
    last_day = fields.DateField(null=True, db_index=True)
    apart = fields.BooleanField(default=False, db_index=True)

    class Meta:
        """Table name."""

        table = "network_stay"
