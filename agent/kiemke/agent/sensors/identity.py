"""Which install this is, on which Python and on what kind of machine it runs."""

import platform

from kiemke.agent.host import Host
from kiemke.wire import __version__
from kiemke.wire.inventory import Identity, Row

NAME = "identity"
SECTIONS = ("identity",)
SOURCE = "the agent's own files; systemd's mark of a container, DMI, CPU flags"
RIGHTS = "any account"

BIOS = r"HKLM\HARDWARE\DESCRIPTION\System\BIOS"
BIOS_WORDS = ("SystemManufacturer", "SystemProductName")
# What a hypervisor writes as the maker or model of its machines -> our word.
_MAKERS = (
    ("qemu", "kvm"),
    ("kvm", "kvm"),
    ("vmware", "vmware"),
    ("innotek", "virtualbox"),
    ("virtualbox", "virtualbox"),
    ("xen", "xen"),
    ("virtual machine", "hyperv"),  # the model Hyper-V gives, under Microsoft's name
    ("parallels", "parallels"),
)


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Identity."""
    row = Identity(
        agent_version=__version__,
        install_id=host.install_id,
        python_version=platform.python_version(),
        virtualisation=_virtualisation(host),
    )
    return {"identity": (row,)}


def _virtualisation(host: Host) -> str | None:
    """Return "container", a hypervisor's name, "vm" for an unnamed one, None for bare metal.

    Source: the mark systemd leaves, the CPU flag "hypervisor", the DMI maker.
    """
    if host.windows is not None:
        return _by_words(
            " ".join(host.windows.registry.text(BIOS, name) or "" for name in BIOS_WORDS)
        )
    if host.path("run/systemd/container").exists():
        return "container"
    if host.path("sys/hypervisor/type").exists():
        return host.text("sys/hypervisor/type")
    said = " ".join(
        host.text("sys/class/dmi/id", name) or "" for name in ("sys_vendor", "product_name")
    )
    named = _by_words(said)
    if named is not None:
        return named
    for line in (host.text("proc/cpuinfo") or "").splitlines():
        if line.startswith("flags") and " hypervisor" in line:
            return "vm"
    return None


def _by_words(said: str) -> str | None:
    """Return the hypervisor that the maker's and the model's words name, None for none."""
    return next((word for mark, word in _MAKERS if mark in said.casefold()), None)
