"""The kinds of change that need a second person: one line each."""

from kiemke.server.domain.approvals import Kind

KINDS: dict[str, Kind] = {}
