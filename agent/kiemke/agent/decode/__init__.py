"""Readers of what firmware and monitors say of themselves: bytes in, rows out, nothing else touched."""
