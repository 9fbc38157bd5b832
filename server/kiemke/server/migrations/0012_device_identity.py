"""What devices say they are."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

_TEXTS = {
    "vendor": 100,
    "seen_kind": 30,
    "model": 200,
    "version": 200,
    "serial": 100,
    "seen_name": 255,
    "seen_location": 255,
}


class Migration(migrations.Migration):
    """Add the columns to the last word on devices."""

    dependencies = [("kiemke", "0011_handover")]

    operations = [
        *(
            ops.AddField("DeviceNow", name, fields.CharField(null=True, max_length=length))
            for name, length in _TEXTS.items()
        ),
        ops.AddField("DeviceNow", "identified_at_ms", fields.BigIntField(null=True)),
    ]
