"""Files of rows brought into the book and the organisation; see ``run.run_import``."""
