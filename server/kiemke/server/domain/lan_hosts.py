"""The SQL of hosts that sweeps found, and of what they are to us."""

from dataclasses import dataclass

from kiemke.server.domain.sites import Sites


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


# Two units as one number, so that a list of pairs is looked in at once: ids stay below.
_PAIR = 2**32


def _known(source: str = "", device: str = "", asset: str = "") -> Known:
    """Return the conditions; the arguments narrow down which ``s``, ``d`` and ``a`` are ours."""
    # Of the site by the same subnets: an address says something of these alone. ``:[at_site]``: see ``at_site``.
    same_site = f"{{0}}.unit_id = h.unit_id OR {{0}}.unit_id * {_PAIR} + h.unit_id IN :[at_site]"
    # A device of ours by the address it is polled at in the same site or below the same collector.
    stands = f"""d.address = h.address AND d.retired_at_ms IS NULL
  AND (d.collector_id = h.source_id OR {same_site.format("d")}){device}"""
    return Known(
        # By its MAC, or by the address its agent last spoke from.
        machine=f"""(EXISTS (SELECT 1 FROM source_evidence e JOIN source s ON s.id = e.source_id
  WHERE e.value = UPPER(REPLACE(h.mac, ':', '')) AND e.kind IN ('mac', 'plugged'){source})
  OR EXISTS (SELECT 1 FROM source_now n JOIN source s ON s.id = n.source_id
    AND ({same_site.format("s")}){source}
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


def _held(unit: str) -> str:
    return f""" AND EXISTS (SELECT 1 FROM custody c
    WHERE c.asset_id = a.id AND {unit} AND {{active c}})"""  # noqa: S608  # a condition of this file


ANYWHERE = _known()
# Of what stands in ``:[mine]``: that a host is known elsewhere would tell what other units have.
WITHIN = _known(
    source=" AND s.unit_id IN :[mine]",
    device=" AND d.unit_id IN :[mine]",
    asset=_held("c.unit_id IN :[mine]"),
)
_BELOW = f"{{0}}.unit_id * {_PAIR} + h.unit_id IN :[below]"
# Of what stands in the host's own unit or below it, which whoever sees the unit may see; ``:[below]``: see ``below``.
BELOW = _known(
    source=f" AND {_BELOW.format('s')}",
    device=f" AND ({_BELOW.format('d')} OR d.collector_id = h.source_id)",
    asset=_held(_BELOW.format("c")),
)


def at_site(sites: Sites) -> list[int]:
    """Return ``:[at_site]``: each unit that has no subnets of its own with the site it stands in."""
    found = ((unit, sites.site_of(unit)) for unit in sites.units())
    return [unit * _PAIR + site for unit, site in found if site is not None and site != unit]


def below(sites: Sites) -> list[int]:
    """Return ``:[below]``: each unit with itself and each of those above it that have subnets."""
    having = {unit for unit, _ in sites.all_own()}
    return [
        unit * _PAIR + above
        for unit in sites.units()
        for above in sites.above(unit)
        if above in having
    ]


HOLDS = """(h.first_seen_ms <= :at AND h.recorded_at_ms <= :known
  AND (h.gone_ms IS NULL OR h.gone_ms > :at OR h.ended_at_ms > :known))"""
