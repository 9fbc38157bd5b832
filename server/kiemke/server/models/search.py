"""The words by which things are found: a derived table, and what of it is to be made anew."""

from tortoise import fields
from tortoise.models import Model

SEARCH_KINDS = ("unit", "official", "asset", "source", "device", "link", "place")


class SearchWord(Model):
    """A way to find a thing: ``word`` as ``domain.search_words`` makes it, without diacritics.

    There is a row for each unit the thing was ever of, so that one asker's units can be chosen before
    anything is counted; 0 where it is of none. What is seen of it is decided by the lists.
    """

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=10)
    word = fields.CharField(max_length=140)
    subject_id = fields.BigIntField()
    unit_id = fields.BigIntField()

    class Meta:
        """Table name; the index over the words is made in the migration (its order is bytes)."""

        table = "search_word"
        indexes = (("subject_id", "kind"),)


class SearchDue(Model):
    """A thing whose words are to be made anew: triggers write it with the change itself."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=10)
    subject_id = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "search_due"


class SearchBlock(Model):
    """The numbers of some things whose ids follow each other, in one text that is looked through for a piece.

    ``words`` is made and read by ``domain.search_blocks``. Of all units: whose a thing is say its words.
    """

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=10)
    block = fields.BigIntField()
    words = fields.TextField()

    class Meta:
        """Table name; one text a block."""

        table = "search_block"
        unique_together = (("kind", "block"),)
