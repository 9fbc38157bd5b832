"""`kiemke-agent server`: under which addresses this machine looks for its server, in order."""

from dataclasses import replace
from pathlib import Path

from kiemke.agent.files import NotEnrolledError, StateError
from kiemke.agent.state import StateFolder
from kiemke.agent.terminal import say
from kiemke.agent.words import RESTART, Both, speak
from kiemke.wire.mouth import open_mouth

MOST_URLS = 6
FROM_NOW_ON = Both(
    "Dùng từ lần khởi động dịch vụ tới: {restart}",
    "In use from the service's next start on: {restart}",
)


def run(state: Path, first: list[str], also: list[str], forget: list[str]) -> int:
    """Show the addresses, changed as asked for; return 0. Raises StateError, nothing changed then.

    The server is known by its root certificate alone, so an address is only a way to it: what answers
    there and is not proved by that root gets nothing.
    """
    from kiemke.wire.pin import parse_address  # TLS is slow to load

    folder = StateFolder(state)
    identity = folder.identity()
    if identity is None or identity.source is None:
        raise NotEnrolledError("not enrolled yet: run kiemke-agent enroll TOKEN")
    try:
        told = {url: str(parse_address(url)) for url in (*first, *also, *forget)}
    except ValueError as err:
        raise StateError(str(err)) from err
    gone = {told[url] for url in forget}
    if unknown := gone - set(identity.urls):
        raise StateError(f"{min(unknown)} is not among {', '.join(identity.urls)}")
    wanted = [*(told[url] for url in first), *identity.urls, *(told[url] for url in also)]
    urls = tuple(dict.fromkeys(url for url in wanted if url not in gone))
    if not 1 <= len(urls) <= MOST_URLS:
        raise StateError(f"{len(urls)} addresses: there must be 1 to {MOST_URLS}")
    if urls != identity.urls:
        folder.save_identity(replace(identity, urls=urls))
    for url in urls:
        say(url)
    if urls != identity.urls:
        open_mouth()
        say(speak(FROM_NOW_ON, restart=RESTART))
    return 0
