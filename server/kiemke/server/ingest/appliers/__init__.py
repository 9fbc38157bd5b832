"""One applier per kind of report. A new kind is one file and one line here."""

from kiemke.server.ingest.appliers import (
    config,
    device,
    event,
    interfaces,
    inventory,
    neighbours,
    reachability,
    sample,
    sweep,
)
from kiemke.server.ingest.context import Applier

APPLIERS: dict[str, Applier] = {
    "inventory": inventory.apply,
    "sample": sample.apply,
    "event": event.apply,
    "device": device.apply,
    "interfaces": interfaces.apply,
    "reachability": reachability.apply,
    "config": config.apply,
    "neighbours": neighbours.apply,
    "sweep": sweep.apply,
}
