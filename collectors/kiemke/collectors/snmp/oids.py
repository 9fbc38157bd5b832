"""The object identifiers the collector asks for, each with its MIB, RFC and unit."""

# SNMPv2-MIB, RFC 3418: scalars of the system group.
SYS_DESCR = "1.3.6.1.2.1.1.1.0"  # sysDescr, text
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"  # sysObjectID, identifier of the product
SYS_UPTIME = "1.3.6.1.2.1.1.3.0"  # sysUpTime, 1/100 s since the agent started, wraps in 497 days
SYS_CONTACT = "1.3.6.1.2.1.1.4.0"  # sysContact, text
SYS_NAME = "1.3.6.1.2.1.1.5.0"  # sysName, text
SYS_LOCATION = "1.3.6.1.2.1.1.6.0"  # sysLocation, text

# IF-MIB, RFC 2863.
IF_NUMBER = "1.3.6.1.2.1.2.1.0"  # ifNumber, count of rows in ifTable
IF_INDEX = "1.3.6.1.2.1.2.2.1.1"  # ifIndex
IF_DESCR = "1.3.6.1.2.1.2.2.1.2"  # ifDescr, text
IF_TYPE = "1.3.6.1.2.1.2.2.1.3"  # ifType, IANAifType number
IF_MTU = "1.3.6.1.2.1.2.2.1.4"  # ifMtu, bytes
IF_SPEED = "1.3.6.1.2.1.2.2.1.5"  # ifSpeed, bits/s, 4294967295 when it does not fit
IF_PHYS_ADDRESS = "1.3.6.1.2.1.2.2.1.6"  # ifPhysAddress, bytes of the MAC
IF_ADMIN_STATUS = "1.3.6.1.2.1.2.2.1.7"  # ifAdminStatus, 1 up 2 down 3 testing
IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"  # ifOperStatus, 1 up 2 down ... 7 lowerLayerDown
IF_LAST_CHANGE = "1.3.6.1.2.1.2.2.1.9"  # ifLastChange, sysUpTime of the present state, 1/100 s
IF_IN_OCTETS = "1.3.6.1.2.1.2.2.1.10"  # ifInOctets, bytes, 32-bit
IF_IN_DISCARDS = "1.3.6.1.2.1.2.2.1.13"  # ifInDiscards, packets, 32-bit
IF_IN_ERRORS = "1.3.6.1.2.1.2.2.1.14"  # ifInErrors, packets, 32-bit
IF_OUT_OCTETS = "1.3.6.1.2.1.2.2.1.16"  # ifOutOctets, bytes, 32-bit
IF_OUT_DISCARDS = "1.3.6.1.2.1.2.2.1.19"  # ifOutDiscards, packets, 32-bit
IF_OUT_ERRORS = "1.3.6.1.2.1.2.2.1.20"  # ifOutErrors, packets, 32-bit
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"  # ifName, text
IF_HC_IN_OCTETS = "1.3.6.1.2.1.31.1.1.1.6"  # ifHCInOctets, bytes, 64-bit
IF_HC_OUT_OCTETS = "1.3.6.1.2.1.31.1.1.1.10"  # ifHCOutOctets, bytes, 64-bit
IF_HIGH_SPEED = "1.3.6.1.2.1.31.1.1.1.15"  # ifHighSpeed, 1,000,000 bits/s
IF_ALIAS = "1.3.6.1.2.1.31.1.1.1.18"  # ifAlias, text given by the operator
IF_TABLE_LAST_CHANGE = "1.3.6.1.2.1.31.1.5.0"  # ifTableLastChange, 1/100 s, row made or removed
IF_COUNTER_DISCONTINUITY = "1.3.6.1.2.1.31.1.1.1.19"  # ifCounterDiscontinuityTime, 1/100 s

# EtherLike-MIB, RFC 3635.
DOT3_DUPLEX_STATUS = "1.3.6.1.2.1.10.7.2.1.19"  # dot3StatsDuplexStatus, 1 unknown 2 half 3 full
