"""A value that must never be printed, logged or put into an error."""

from kiemke.wire.secret import Secret

__all__ = ["Secret"]
