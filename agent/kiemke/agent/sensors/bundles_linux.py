"""The programs that come as whole bundles on Linux: snaps and flatpaks."""

import re
from collections.abc import Iterator

from kiemke.agent.host import Host
from kiemke.wire.inventory import Software

SNAPS = "snap"
FLATPAKS = "var/lib/flatpak/app"
HOMES = "home"
USER_FLATPAKS = ".local/share/flatpak/app"
# What snaps stand on, not a program.
BASES = re.compile(r"core\d*|bare|snapd|gnome-\d.*|gtk-common-themes|mesa-.*")
FIELD = re.compile(r"^(version|summary|title): *(.+?) *$", re.MULTILINE)
RELEASE = re.compile(r"<release\b[^>]*\bversion=\"([^\"]{1,100})\"")


def read(host: Host) -> list[Software]:
    """Return one Software a bundle; of a user's own flatpaks with the account."""
    found = [*_snaps(host), *_flatpaks(host, FLATPAKS, None)]
    for user in host.names(HOMES):
        found += _flatpaks(host, f"{HOMES}/{user}/{USER_FLATPAKS}", user)
    return found


def _snaps(host: Host) -> Iterator[Software]:
    """Yield the snaps in use, by the text each one carries (snap.yaml)."""
    for name in host.names(SNAPS):
        text = host.text(SNAPS, name, "current", "meta", "snap.yaml")
        if text is None or BASES.fullmatch(name):
            continue
        said = {key: value.strip("'\"") for key, value in FIELD.findall(text)}
        yield Software(name, said.get("version"), None, None, "snap")


def _flatpaks(host: Host, folder: str, user: str | None) -> Iterator[Software]:
    """Yield the flatpaks of one installation; the version stands in what a shop would show."""
    for name in host.names(folder):
        place = f"{folder}/{name}/current/active"
        if not host.path(place, "metadata").exists():
            continue
        shown = None
        for kind in ("metainfo", "appdata"):
            shown = shown or host.text(place, f"files/share/{kind}/{name}.{kind}.xml")
        version = RELEASE.search(shown or "")
        yield Software(name, version[1] if version else None, None, None, "flatpak", None, user)
