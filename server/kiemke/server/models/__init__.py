"""Every table, by ledger; ``db_config.MODEL_MODULES`` lists the modules in the order tables are made."""

from tortoise import models

# Tortoise parses the source of every model for comments on its columns. There are none here, and it
# would be a sixth of the time each program of the server needs to start.
models._get_comments = lambda cls: {}
