"""A PC on which a release waits, and a stand-in for what installs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.agent.files import write_json
from kiemke.agent.state import AgentIdentity, StateFolder
from kiemke.agent.update.apply import Outcome, Updater
from kiemke.agent.update.decide import Facts
from kiemke.agent.update.installers import InstallError
from kiemke.agent.update.places import (
    Places,
    trust,
)
from kiemke.agent.update.renewal import Renewal
from kiemke.wire.update import Signed
from tests.support.releases import public_of, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
NOW = datetime(2026, 3, 10, tzinfo=UTC)
PACKAGE = b"a package"
FACTS = Facts("0.1.0", "debian-amd64", "s1", (public_of(KEY),), 100, NOW)


@dataclass
class FakeInstaller:
    """Notes what it was asked to do; ``breaks`` fails at that step."""

    system: str = "debian-amd64"
    ending: str = ".deb"
    breaks: str = ""
    done: list[str] = field(default_factory=list)
    on_install: Callable[[], None] = lambda: None
    on_go_back: Callable[[], None] = lambda: None

    def _do(self, what: str) -> None:
        if self.breaks == what:
            raise InstallError(f"{what} broke")
        self.done.append(what)

    def keep(self, folder: Path) -> Path:
        self._do("keep")
        return folder / "previous.deb"

    def install(self, package: Path) -> None:
        assert package.read_bytes() == PACKAGE
        self._do("install")
        self.on_install()

    def go_back(self, package: Path) -> None:
        self._do(f"back to {package.name}")
        self.on_go_back()

    def confirm(self, package: Path) -> None:
        self._do("confirm")


class Time:
    """Seconds that pass when somebody rests; ``at`` holds what happens once so many have passed."""

    def __init__(self, at: dict[float, Callable[[], None]] | None = None) -> None:
        self.seconds = 0.0
        self.at = dict(at or {})

    def __call__(self) -> float:
        return self.seconds

    def rest(self, seconds: float) -> None:
        self.seconds += seconds
        for due in [one for one in self.at if one <= self.seconds]:
            self.at.pop(due)()


def waiting(tmp_path: Path) -> Places:
    """Return a PC on which one key is trusted and the release 0.2.0 waits."""
    places = Places(tmp_path / "state", tmp_path / "updater")
    places.inbox.mkdir(parents=True)
    trust(places.updater, public_of(KEY).hex())
    StateFolder(places.state).save_identity(AgentIdentity("ab" * 16, "secret", source="s1"))
    leave(places, sign(KEY, PACKAGE, signed_at=NOW))
    return places


def leave(places: Places, signed: Signed, package: bytes = PACKAGE) -> None:
    places.signed.write_bytes(signed.encode())
    places.package.write_bytes(package)
    write_json(places.offer, {"percent": 100})


def report(places: Places, version: str, outcome: str = "sent", at: str = "") -> None:
    StateFolder(places.state).save_status({"version": version, "outcome": outcome, "tried_at": at})


def run(places: Places, installer: FakeInstaller, time: Time | None = None) -> Outcome:
    return updater(places, installer, time).run()


def updater(
    places: Places, installer: FakeInstaller | None = None, time: Time | None = None
) -> Updater:
    time = time or Time()
    return Updater(
        places, installer or FakeInstaller(), version="0.1.0", now=lambda: NOW, seconds=time, rest=time.rest
    )  # fmt: skip


def told(places: Places) -> dict[str, str]:
    news = Renewal(places.state, places.updater).news(None)
    return {} if news is None else news[1].detail
