"""What Windows shows of the firmware: the raw SMBIOS table, else what its registry copied of it."""

from kiemke.agent.windows.port import Windows
from kiemke.wire.inventory import Bios, Board, Processor, Row, System

SMBIOS_COPY = r"HKLM\SYSTEM\CurrentControlSet\Services\mssmbios\Data"
BIOS = r"HKLM\HARDWARE\DESCRIPTION\System\BIOS"
PROCESSORS = r"HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor"


def tables(windows: Windows) -> list[bytes]:
    """Return the raw tables there are, the firmware's own first, each with its eight-byte head."""
    found = (windows.firmware(), windows.registry.data(SMBIOS_COPY, "SMBiosData"))
    return [one for one in found if one]


def words(windows: Windows) -> dict[str, tuple[Row, ...]]:
    """Return what the kernel wrote of the firmware at its start; it knows no serials."""

    def said(name: str) -> str | None:
        return windows.registry.text(BIOS, name)

    system = System(
        manufacturer=said("SystemManufacturer"),
        product=said("SystemProductName"),
        version=said("SystemVersion"),
        sku=said("SystemSKU"),
        family=said("SystemFamily"),
    )
    bios = Bios(said("BIOSVendor"), said("BIOSVersion"), said("BIOSReleaseDate"))
    board = Board(said("BaseBoardManufacturer"), said("BaseBoardProduct"))
    rows: tuple[tuple[str, Row, Row], ...] = (
        ("system", system, System()),
        ("bios", bios, Bios()),
        ("board", board, Board()),
    )
    return {name: (row,) for name, row, empty in rows if row != empty}


def processors(windows: Windows) -> tuple[Processor, ...]:
    """Return one Processor: the registry lists logical ones and does not tell sockets apart."""
    logical = windows.registry.names(PROCESSORS)
    if not logical:
        return ()
    first = f"{PROCESSORS}\\{logical[0]}"
    return (
        Processor(
            version=windows.registry.text(first, "ProcessorNameString"),
            threads=len(logical),
            max_mhz=windows.registry.number(first, "~MHz"),
        ),
    )
