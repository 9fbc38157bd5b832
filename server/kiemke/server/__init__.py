"""The HTTP server: settings, database, ingest, ledgers, figures, resources."""
