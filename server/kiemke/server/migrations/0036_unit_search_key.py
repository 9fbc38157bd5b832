"""A unit's search key is of its name alone, however the version came to be."""

from tortoise import migrations
from tortoise.migrations import operations as ops

# Versions of reorganisations had the code before the name. A name is as long as its key (each letter is
# one), so that a name which itself begins with the code keeps its key.
_BARE = (
    "UPDATE unit_version SET search_key = SUBSTR(search_key, LENGTH(code) + 2)"
    " WHERE LENGTH(search_key) = LENGTH(code) + 1 + LENGTH(name)"
    " AND SUBSTR(search_key, 1, LENGTH(code) + 1) = LOWER(code) || ' '"
)


class Migration(migrations.Migration):
    """Take the code out of ``unit_version.search_key``."""

    dependencies = [("kiemke", "0035_stock_takes")]

    initial = False

    operations = [ops.RunSQL(_BARE)]
