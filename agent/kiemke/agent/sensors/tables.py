"""The tables of products and devices: the ones that come with the agent, and what an office added."""

import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib.resources import files

from kiemke.agent.host import Host
from kiemke.agent.sensors.errors import SensorError

Entry = dict[str, object]


def load(host: Host, name: str, kind: str) -> list[Entry]:
    """Return the entries ``kind`` of the table ``name``: an office's own first, then the agent's.

    Raises SensorError when the office's own file is no such table.
    """
    shipped = files("kiemke.agent.sensors").joinpath(name).read_text("utf-8")
    own = None
    if host.folder is not None:
        try:
            own = (host.folder / name).read_text("utf-8")
        except FileNotFoundError:
            own = None
        except (OSError, ValueError) as err:
            raise SensorError(f"{host.folder / name}: {err}") from err
    entries: list[Entry] = []
    for text in (own, shipped):
        if text is None:
            continue
        try:
            found = tomllib.loads(text).get(kind, [])
        except tomllib.TOMLDecodeError as err:
            raise SensorError(f"{name}: {err}; mend it or take it away") from err
        entries += [one for one in found if isinstance(one, dict)]
    return entries


def globs(entry: Entry, name: str) -> tuple[str, ...]:
    """Return the globs of an entry's field in lower case; one text is one glob."""
    value = entry.get(name)
    found = value if isinstance(value, list) else [value]
    return tuple(one.casefold() for one in found if isinstance(one, str) and one)


def fits(text: str | None, patterns: Iterable[str]) -> bool:
    """Tell whether the text, without regard to case, fits one of the globs."""
    return text is not None and any(fnmatchcase(text.casefold(), glob) for glob in patterns)
