"""UPnP-IGD: the counters of a modem that speaks no SNMP."""
