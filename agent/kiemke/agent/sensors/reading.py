"""Runs a sensor and makes its answer, or its failure, into readings by section."""

import hashlib
import json
import logging
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import psutil

from kiemke.agent import privacy
from kiemke.agent.host import Host
from kiemke.agent.sensors import SENSORS, Sensor
from kiemke.agent.sensors.errors import SensorError
from kiemke.wire.inventory import SECTIONS, Row

log = logging.getLogger(__name__)

TOKEN_BYTES = 8
MAX_DETAIL_CHARACTERS = 200
# What a fault in a sensor's own code looks like: told with its traceback, and the others go on.
BUGS = (
    TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError, ImportError,
    MemoryError, struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """One section as read: its status, its rows when "ok", why not otherwise, or that it is off."""

    status: str
    rows: tuple[Row, ...] | None = None
    detail: str | None = None


def read_all(host: Host, sensors: Sequence[Sensor] = SENSORS) -> dict[str, Reading]:
    """Return a Reading of every section of every sensor, in the order of SECTIONS."""
    found: dict[str, Reading] = {}
    for sensor in sensors:
        found.update(read_one(host, sensor))
    return {name: found[name] for name in SECTIONS if name in found}


def read_one(host: Host, sensor: Sensor) -> dict[str, Reading]:
    """Return the readings of one sensor; its failure becomes the status of all its sections."""
    try:
        rows = sensor.load().read(host)
    except SensorError as err:
        failed = Reading(err.status, detail=_detail(err))
    except (psutil.AccessDenied, PermissionError) as err:
        failed = Reading("denied", detail=_detail(err))
    except FileNotFoundError as err:
        failed = Reading("absent", detail=_detail(err))
    except (psutil.Error, OSError) as err:
        failed = Reading("failed", detail=_detail(err))
    except BUGS as err:
        log.exception("sensor has a fault", extra={"sensor": sensor.module})
        failed = Reading("failed", detail=f"fault in the sensor: {_detail(err)}")
    else:
        return {
            name: _private(name, rows[name], host.off) if name in rows else Reading("absent")
            for name in sensor.SECTIONS
        }
    return dict.fromkeys(sensor.SECTIONS, failed)


def _private(section: str, rows: tuple[Row, ...], off: frozenset[str]) -> Reading:
    """Return the reading of a section without what is switched off on this PC."""
    kept, is_off = privacy.without(section, rows, off)
    return Reading("ok", kept, detail=privacy.SWITCHED_OFF if is_off else None)


def _detail(err: Exception) -> str:
    """Return what an error says in one short line."""
    text = " ".join(f"{type(err).__name__}: {err}".split())
    return text[:MAX_DETAIL_CHARACTERS]


def token_of(rows: tuple[Row, ...]) -> str:
    """Return a short hash of a section's rows: equal rows, equal token."""
    text = json.dumps([asdict(row) for row in rows], sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=TOKEN_BYTES).hexdigest()
