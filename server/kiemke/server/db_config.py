"""Which connections a database is opened with, and which models lie behind them."""

from typing import Any
from urllib.parse import urlsplit

from tortoise.backends.base.config_generator import expand_db_url

from kiemke.server import postgres_driver

# By name: the models import this module's neighbours, never the other way round.
MODEL_MODULES = (
    "kiemke.server.models.organisation",
    "kiemke.server.models.book",
    "kiemke.server.models.stock_takes",
    "kiemke.server.models.observation",
    "kiemke.server.models.identity",
    "kiemke.server.models.network",
    "kiemke.server.models.pc_traffic",
    "kiemke.server.models.device_config",
    "kiemke.server.models.figures",
    "kiemke.server.models.access",
    "kiemke.server.models.indicators",
    "kiemke.server.models.search",
    "kiemke.server.models.sites",
    "kiemke.server.models.releases",
    "kiemke.server.models.lan",
    "kiemke.server.models.system",
)

# SQLite's connections for long readings, so that nobody's short one waits behind them.
TOGETHER = ("together_0", "together_1")


def tortoise_config(url: str) -> dict[str, Any]:
    """Return Tortoise's configuration for ``sqlite:///path`` or ``postgres://user@host/name``."""
    app = {
        "models": list(MODEL_MODULES),
        "default_connection": "default",
        "migrations": "kiemke.server.migrations",
    }
    return {"connections": _connections(url), "apps": {"kiemke": app}}


def _connections(url: str) -> dict[str, Any]:
    if urlsplit(url).scheme == "sqlite":
        path = url.removeprefix("sqlite://")
        common = {"journal_mode": "WAL", "foreign_keys": "ON", "busy_timeout": 10_000}
        writer = {"file_path": path, **common, "synchronous": "FULL", "cache_size": -65_536}
        reader = {"file_path": path, **common, "query_only": "ON", "cache_size": -65_536}
        return {
            "default": {"engine": "kiemke.server.sqlite_engine", "credentials": writer},
            **{
                name: {"engine": "tortoise.backends.sqlite", "credentials": reader}
                for name in ("reader", *TOGETHER)
            },
        }
    postgres_driver.require()
    default = expand_db_url(url)
    default["engine"] = "tortoise.backends.asyncpg"
    default["credentials"].update(minsize=1, maxsize=8)
    return {"default": default}
