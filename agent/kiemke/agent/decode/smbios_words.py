"""The words of SMBIOS enumerations. Source: DMTF DSP0134 3.8, tables 17, 76 and 77."""

# 7.4.1, System Enclosure or Chassis Types; index 0 is not used.
CHASSIS_TYPES = (
    None, "Other", "Unknown", "Desktop", "Low Profile Desktop", "Pizza Box", "Mini Tower",
    "Tower", "Portable", "Laptop", "Notebook", "Hand Held", "Docking Station", "All In One",
    "Sub Notebook", "Space-saving", "Lunch Box", "Main Server Chassis", "Expansion Chassis",
    "Sub Chassis", "Bus Expansion Chassis", "Peripheral Chassis", "RAID Chassis",
    "Rack Mount Chassis", "Sealed-case PC", "Multi-system", "CompactPCI", "AdvancedTCA", "Blade",
    "Blade Enclosing", "Tablet", "Convertible", "Detachable", "IoT Gateway", "Embedded PC",
    "Mini PC", "Stick PC",
)  # fmt: skip

# 7.18.1, Memory Device: Form Factor.
MEMORY_FORM_FACTORS = (
    None, "Other", "Unknown", "SIMM", "SIP", "Chip", "DIP", "ZIP", "Proprietary Card", "DIMM",
    "TSOP", "Row Of Chips", "RIMM", "SODIMM", "SRIMM", "FB-DIMM", "Die", "CAMM", "CUDIMM",
    "CSODIMM",
)  # fmt: skip

# 7.18.2, Memory Device: Type.
MEMORY_TYPES = (
    None, "Other", "Unknown", "DRAM", "EDRAM", "VRAM", "SRAM", "RAM", "ROM", "Flash", "EEPROM",
    "FEPROM", "EPROM", "CDRAM", "3DRAM", "SDRAM", "SGRAM", "RDRAM", "DDR", "DDR2", "DDR2 FB-DIMM",
    "Reserved", "Reserved", "Reserved", "DDR3", "FBD2", "DDR4", "LPDDR", "LPDDR2", "LPDDR3",
    "LPDDR4", "Logical non-volatile device", "HBM", "HBM2", "DDR5", "LPDDR5", "HBM3", "MRDIMM",
)  # fmt: skip


def word(table: tuple[str | None, ...], code: int) -> str | None:
    """Return the word of ``code``; None when the specification gives it none."""
    return table[code] if code < len(table) else None
