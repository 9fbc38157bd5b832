"""The SQL of hosts that sweeps found, and of what they are to us."""

# A host is a machine of ours by its MAC, or by the address its agent last spoke from.
IS_MACHINE = """(EXISTS (SELECT 1 FROM source_evidence e WHERE e.value = UPPER(REPLACE(h.mac, ':', ''))
  AND e.kind IN ('mac', 'plugged')) OR EXISTS (SELECT 1 FROM source_now n
  JOIN source s ON s.id = n.source_id AND s.unit_id = h.unit_id WHERE n.last_address = h.address))"""
# A device of ours by the address it is polled at in the same unit or below the same collector, or by a MAC.
IS_DEVICE = """(EXISTS (SELECT 1 FROM device d WHERE d.address = h.address AND d.retired_at_ms IS NULL
  AND (d.collector_id = h.source_id OR d.unit_id = h.unit_id)) OR EXISTS (SELECT 1 FROM interface_now i
  WHERE i.mac = h.mac))"""
IS_BOOKED = """EXISTS (SELECT 1 FROM asset a WHERE a.mac_key = UPPER(REPLACE(h.mac, ':', '')))"""
IS_UNKNOWN = f"NOT {IS_MACHINE} AND NOT {IS_DEVICE} AND NOT {IS_BOOKED}"
# Somebody answers the polls of the device that stands at this address.
IS_POLLED = """EXISTS (SELECT 1 FROM device d JOIN device_now w ON w.device_id = d.id
  WHERE d.address = h.address AND d.retired_at_ms IS NULL
  AND (d.collector_id = h.source_id OR d.unit_id = h.unit_id) AND w.outcome IN ('ok', 'partial'))"""
HOLDS = """(h.first_seen_ms <= :at AND h.recorded_at_ms <= :known
  AND (h.gone_ms IS NULL OR h.gone_ms > :at OR h.ended_at_ms > :known))"""
