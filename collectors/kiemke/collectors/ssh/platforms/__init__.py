"""One TOML file per platform of ``wire.platforms``: what is sent, where facts stand, what is secret."""

from kiemke.wire.platforms import PLATFORMS

__all__ = ["PLATFORMS"]
