"""SNMP: the reader and what is read with it."""
