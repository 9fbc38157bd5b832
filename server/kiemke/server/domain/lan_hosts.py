"""The SQL of hosts that sweeps found, and of what they are to us."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Conditions on ``lan_host h``: a machine, a device, an asset of ours; a device that is polled."""

    machine: str
    device: str
    booked: str
    polled: str

    @property
    def nothing(self) -> str:
        """Return the condition that it is nothing of ours."""
        return f"NOT {self.machine} AND NOT {self.device} AND NOT {self.booked}"


def _known(source: str = "", device: str = "", asset: str = "") -> Known:
    """Return the conditions; the arguments narrow down which ``s``, ``d`` and ``a`` are ours."""
    # A device of ours by the address it is polled at in the same unit or below the same collector.
    stands = f"""d.address = h.address AND d.retired_at_ms IS NULL
  AND (d.collector_id = h.source_id OR d.unit_id = h.unit_id){device}"""
    return Known(
        # By its MAC, or by the address its agent last spoke from.
        machine=f"""(EXISTS (SELECT 1 FROM source_evidence e JOIN source s ON s.id = e.source_id
  WHERE e.value = UPPER(REPLACE(h.mac, ':', '')) AND e.kind IN ('mac', 'plugged'){source})
  OR EXISTS (SELECT 1 FROM source_now n JOIN source s ON s.id = n.source_id AND s.unit_id = h.unit_id
  WHERE n.last_address = h.address))""",  # noqa: S608  # conditions of this file
        device=f"""(EXISTS (SELECT 1 FROM device d WHERE {stands})
  OR EXISTS (SELECT 1 FROM interface_now i JOIN device d ON d.id = i.device_id
  WHERE i.mac = h.mac{device}))""",  # noqa: S608  # conditions of this file
        booked=f"""EXISTS (SELECT 1 FROM asset a
  WHERE a.mac_key = UPPER(REPLACE(h.mac, ':', '')){asset})""",  # noqa: S608  # conditions of this file
        # Somebody answers the polls of the device that stands at this address.
        polled=f"""EXISTS (SELECT 1 FROM device d JOIN device_now w ON w.device_id = d.id
  WHERE {stands} AND w.outcome IN ('ok', 'partial'))""",  # noqa: S608  # conditions of this file
    )


ANYWHERE = _known()
# Of what stands in ``:[mine]``: that a host is known elsewhere would tell what other units have.
WITHIN = _known(
    source=" AND s.unit_id IN :[mine]",
    device=" AND d.unit_id IN :[mine]",
    asset=""" AND EXISTS (SELECT 1 FROM custody c
    WHERE c.asset_id = a.id AND c.unit_id IN :[mine] AND {active c})""",
)
HOLDS = """(h.first_seen_ms <= :at AND h.recorded_at_ms <= :known
  AND (h.gone_ms IS NULL OR h.gone_ms > :at OR h.ended_at_ms > :known))"""
