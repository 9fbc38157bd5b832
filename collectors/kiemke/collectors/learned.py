"""What was learned about each device, kept in the state folder: ``learned.json``.

Losing it costs some questions only, so a damaged file is as good as none.
"""

import asyncio
import contextlib
import json
import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path

from kiemke.collectors.files import write_private
from kiemke.collectors.snmp.reader import LACKING_SECONDS, MOST_PATIENCE_SECONDS, Tuning

log = logging.getLogger(__name__)

FILE_NAME = "learned.json"
# Columns that are lacking are renewed all the time; the disk is asked for little.
KEEP_SECONDS = 300.0


class Learned:
    """The tuning of each device by address and port; ``path`` None keeps it in memory alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._tunings: dict[tuple[str, int], Tuning] = {}
        self._kept: Mapping[str, object] = {}
        self._written: str | None = None
        self._written_at = time.monotonic()
        if path is not None:
            with contextlib.suppress(OSError, ValueError, RecursionError):
                kept = json.loads(path.read_text("utf-8"))
                self._kept = kept if isinstance(kept, dict) else {}

    def tuning(self, address: str, port: int) -> Tuning:
        """Return the tuning of one device, as it was kept or new."""
        key = (address, port)
        if key not in self._tunings:
            self._tunings[key] = _read(self._kept.get(f"{address} {port}"))
        return self._tunings[key]

    def wake_all(self) -> None:
        """Let no device rest: credentials have changed."""
        for tuning in self._tunings.values():
            tuning.wake()

    async def keep(self, *, at_once: bool = False) -> None:
        """Write what was learned, when it changed and some minutes have passed, or ``at_once``."""
        if self._path is None or not (
            at_once or time.monotonic() - self._written_at >= KEEP_SECONDS
        ):
            return
        self._written_at = time.monotonic()
        text = self._text()
        if text == self._written:
            return
        try:
            await asyncio.to_thread(write_private, self._path, text)
        except OSError as err:
            log.warning("what was learned is not kept", extra={"reason": err.strerror})
        else:
            self._written = text

    def _text(self) -> str:
        usual, now = _row(Tuning(), 0.0), time.time()
        rows = {f"{key[0]} {key[1]}": _row(tuning, now) for key, tuning in self._tunings.items()}
        return json.dumps({key: row for key, row in rows.items() if row != usual})


def _row(tuning: Tuning, now: float) -> dict[str, object]:
    return {
        "max_repetitions": tuning.max_repetitions,
        "patience_seconds": tuning.patience_seconds,
        "lacking": {name: until for name, until in tuning.lacking.items() if until > now},
    }


def _read(row: object) -> Tuning:
    """Return a tuning; what is not usable in ``row`` is left at the usual."""
    tuning = Tuning()
    if not isinstance(row, dict):
        return tuning
    rows = row.get("max_repetitions")
    if type(rows) is int and 1 <= rows <= tuning.ceiling:
        tuning.max_repetitions = rows
    patience = row.get("patience_seconds")
    if isinstance(patience, int | float) and 0.0 < patience <= MOST_PATIENCE_SECONDS:
        tuning.patience_seconds = float(patience)
    lacking = row.get("lacking")
    for name, until in lacking.items() if isinstance(lacking, dict) else ():
        if isinstance(until, int | float) and math.isfinite(until):
            # Later was written by a clock that ran ahead; it would not be asked for until then.
            tuning.lacking[name] = min(float(until), time.time() + LACKING_SECONDS)
    return tuning
