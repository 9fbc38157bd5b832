"""Every table, by ledger; ``db.MODEL_MODULES`` lists the modules in the order tables are made."""
