"""What a visit gave, as it travels to the server."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from kiemke.wire.config_text import pack
from kiemke.wire.report import Config, ConfigAccess, DevicePart, DevicePort

if TYPE_CHECKING:
    from kiemke.collectors.ssh.read import Reading

Row = TypeVar("Row", DevicePart, DevicePort)


def make_body(device: int, platform: str, user: str, found: "Reading") -> Config:
    """Return the report of a visit. What was not asked for, or not told, is None."""
    body = Config(
        device,
        found.outcome,
        platform,
        found.detail,
        found.host_key,
        dict(found.facts),
        _rows(DevicePart, found.tables.get("inventory")),
        _rows(DevicePort, found.tables.get("interfaces")),
    )
    if found.access is not None:
        seen = found.access
        access = ConfigAccess(user, seen.may_configure, seen.administrators, seen.snmp_writers)
        body = dataclasses.replace(body, access=access)
    if found.config is None:
        return body
    try:
        packed = pack(found.config.text)
    except ValueError as err:
        return dataclasses.replace(body, outcome="partial", detail=str(err))
    return dataclasses.replace(
        body, digest=found.config.digest, packed=packed, masked=found.config.count
    )


def _rows(kind: type[Row], rows: Iterable[Mapping[str, str]] | None) -> tuple[Row, ...] | None:
    if rows is None:
        return None
    known = [field.name for field in dataclasses.fields(kind)]
    cut = ({name: row[name] for name in known if row.get(name)} for row in rows)
    return tuple(kind(**each) for each in cut if each.get("name") or kind is DevicePart and each)
