"""The collector: polls network gear by SNMP, probes lines by ICMP, reports to the server."""
