"""What PostgreSQL's driver may raise, sorted; nothing where the driver is not installed.

``pip install kiemke[server]`` runs on SQLite alone; ``kiemke[postgres]`` brings asyncpg.
"""

from importlib.util import find_spec

from kiemke.server.errors import ServerError


def _errors() -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
    """Return what is refused for ever, and what tells of a database that is away."""
    if find_spec("asyncpg") is None:
        return (), ()
    import asyncpg

    refusals: tuple[type[Exception], ...] = (
        asyncpg.DataError,
        asyncpg.IntegrityConstraintViolationError,
        asyncpg.ProgramLimitExceededError,  # a text too long for its index: as true tomorrow
        # A value it cannot encode is refused by a ValueError of its own that it does not export.
        *(c for c in asyncpg.InterfaceError.__subclasses__() if issubclass(c, ValueError)),
    )
    return refusals, (asyncpg.PostgresError, asyncpg.InterfaceError)


REFUSALS, FAILURES = _errors()
INTERFACE = FAILURES[1:]


def require() -> None:
    """Raise ServerError with the command that installs the driver, where it is missing."""
    if not FAILURES:
        raise ServerError(
            "database_url names a PostgreSQL, whose driver is missing; "
            "run: pip install 'kiemke[postgres]'"
        )
