"""No secret leaves the collector: every kind is planted in every platform's syntax and looked for after."""

import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.ssh.access import read_access
from kiemke.collectors.ssh.facts import Told, read_facts
from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.login import Host, SshCredential
from kiemke.collectors.ssh.mask import mask
from kiemke.collectors.ssh.platform import Facts, Platform, load_general, load_platform
from kiemke.collectors.ssh.platforms import PLATFORMS
from kiemke.collectors.ssh.runner import CommandRunner
from kiemke.wire.secret import Secret
from tests.support.ssh_devices import RECORDED, read_recording

# Planted values hold this word; hexadecimal certificates cannot, they hold the number.
PLANTED = re.compile(r"pl4nt|b16b00b5", re.IGNORECASE)
LEAST_PLANTED = 9
# What a reader wants to find again in a masked configuration.
KEPT = {
    "aruba_aoscx": ["hostname CX-1", "description Uplink VNPT", "https-server vrf default"],
    "cisco_ios": ["service password-encryption", "description Uplink VNPT", "hostname SW-TANG-1"],
    "cisco_s300": ["hostname sw-motcua", "vlan 10", 'description "Uplink VNPT"'],
    "fortinet": ['set hostname "FG-XA"', 'set accprofile "super_admin"', 'set server "192.0.2.7"'],
    "hp_comware": ["sysname SW-H3C", "description Uplink VNPT", "service-type ssh"],
    "hp_procurve": ['hostname "SW-HP-1"', "ip address 192.168.1.2 255.255.255.0"],
    "huawei_vrp": ["sysname SW-UBND", "local-user admin privilege level 15"],
    "juniper_junos": ["set system host-name EX-1", 'ge-0/0/0 description "Uplink VNPT"'],
    "linux": ["PermitRootLogin prohibit-password", "PasswordAuthentication yes", "address 192.168"],
    "mikrotik_routeros": ["/ip address", "add address=192.168.1.1/24", "set name=GW-XA"],
    "ruijie_os": ["hostname RJ-1", "description Uplink VNPT"],
    "tplink_jetstream": ['hostname "TL-1"', 'description "Uplink VNPT"'],
    "zyxel_os": ["hostname ZY-1", "name Uplink VNPT"],
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_no_planted_secret_is_left_and_the_rest_is(name: str) -> None:
    platform = load_platform(name)
    text = read_recording(name).answers[platform.config]

    masked = mask(text, platform)

    assert len(PLANTED.findall(text)) >= LEAST_PLANTED
    assert [line for line in masked.text.splitlines() if PLANTED.search(line)] == []
    assert [line for line in KEPT[name] if line not in masked.text] == []
    assert masked.count >= LEAST_PLANTED - 1


@pytest.fixture
def twenty_processor_seconds() -> Iterator[None]:
    """End a test that would go on for hours."""

    def give_up(*_: object) -> None:
        raise AssertionError("grows with the square of the text's length")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, 20.0)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("twenty_processor_seconds")
@pytest.mark.parametrize("word", ["a", "aaaa-ke"])
def test_one_endless_word_holds_nobody_up(word: str) -> None:
    """A device that means harm sends one; while a pattern is at work the whole collector waits."""
    platform = load_platform("cisco_ios")
    text = f"hostname SW1\n{word * (1_000_000 // len(word))}\nmy-strange-key Pl4nt\nend\n"

    masked = mask(text, platform)

    assert masked.text.endswith("\nmy-strange-key ***\nend\n")


@pytest.mark.usefixtures("twenty_processor_seconds")
@pytest.mark.parametrize("name", ["zyxel_os", "cisco_s300", "mikrotik_routeros"])
def test_endless_empty_lines_hold_nobody_up(name: str) -> None:
    platform, told = load_platform(name), Told()
    empty = "\n" * 200_000

    read_facts(lambda _: empty, replace(platform, facts=_patterns_only(platform), tables=()), told)

    assert told == Told()
    assert mask(f"{empty}hostname SW1{empty}", platform).count == 0


def _patterns_only(platform: Platform) -> tuple[Facts, ...]:
    """Leave the templates of the library out, which read line by line."""
    return tuple(replace(each, fields={}) for each in platform.facts)


@pytest.mark.parametrize("name", PLATFORMS)
def test_masking_twice_changes_nothing(name: str) -> None:
    """Else a configuration read again would look changed."""
    platform = load_platform(name)
    once = mask(read_recording(name).answers[platform.config], platform)

    again = mask(once.text, platform)

    assert (again.text, again.digest) == (once.text, once.digest)


@pytest.mark.parametrize(
    "line",
    [
        "password Pl4nt1",
        'my-password = "Pl4nt 2"',
        "SECRET: Pl4nt3",
        "community Pl4nt4",
        "enable-key 7 Pl4nt5",
        "x $6$salt$Pl4nt6",
        "url https://user:Pl4nt7@192.0.2.1/",
        "psk=Pl4nt8",
        "token Pl4nt9",
        "-----BEGIN RSA PRIVATE KEY-----\nPl4nt10\nPl4nt11\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nPl4nt12 and it was cut off",
    ],
)
@pytest.mark.parametrize("name", ["linux", "zyxel_os"])
def test_a_secret_under_an_unforeseen_word_is_caught_by_the_general_rules(
    line: str, name: str
) -> None:
    assert not PLANTED.search(mask(f"before\n{line}\n", load_platform(name)).text)


@pytest.mark.parametrize("name", [name for name in PLATFORMS if load_platform(name).volatile])
def test_lines_that_change_by_themselves_make_no_new_version(name: str) -> None:
    platform = load_platform(name)
    text = read_recording(name).answers[platform.config]
    lines = text.splitlines()
    steady = [line for line in lines if not any(each.search(line) for each in platform.volatile)]
    bare, whole = mask("\n".join(steady), platform), mask(text, platform)

    assert whole.digest == bare.digest
    assert mask(text + "something new\n", platform).digest != whole.digest


def test_every_platform_has_a_file_a_recording_and_only_reading_commands() -> None:
    files = {path.stem for path in load_files()} - {"general"}

    assert files == {*PLATFORMS}
    assert {path.stem for path in RECORDED.glob("*.txt")} == {*PLATFORMS}
    for name in PLATFORMS:
        platform = load_platform(name)
        assert platform.commands <= read_recording(name).answers.keys()
    assert load_general().harmless


def load_files() -> list[Path]:
    from importlib.resources import files

    folder = files("kiemke.collectors.ssh.platforms")
    return [Path(each.name) for each in folder.iterdir() if each.name.endswith(".toml")]


def test_an_unknown_platform_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="cisco_ios"):
        load_platform("draytek")


# What a recording's configuration and prompt tell: may ``kiemke`` configure, who else, SNMP writers.
ACCESS: dict[str, tuple[bool | None, tuple[str, ...] | None, int | None]] = {
    "aruba_aoscx": (True, ("admin",), 0),
    "cisco_ios": (True, ("admin",), 0),
    "cisco_s300": (True, ("cisco",), 1),
    "fortinet": (None, ("admin",), 0),
    "hp_comware": (None, ("admin",), 1),
    "hp_procurve": (True, None, 1),
    "huawei_vrp": (None, ("admin",), 1),
    "juniper_junos": (True, ("kiemke",), 0),
    "linux": (False, None, 1),
    "mikrotik_routeros": (None, None, 0),
    "ruijie_os": (True, ("admin",), 1),
    "tplink_jetstream": (True, ("admin",), 0),
    "zyxel_os": (True, (), 1),
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_who_may_change_a_device_is_read_from_its_masked_configuration(name: str) -> None:
    platform, recording = load_platform(name), read_recording(name)
    text = mask(recording.answers[platform.config], platform).text

    found = read_access(text, platform.access, "kiemke", recording.prompt)

    assert (found.may_configure, found.administrators, found.snmp_writers) == ACCESS[name]


def test_a_device_that_echoes_our_password_brings_it_into_no_report(tmp_path: Path) -> None:
    account = SshCredential("an", Secret("Pl4nt-login"), enable_password=Secret("Pl4nt-enable"))
    host = Host("192.0.2.1", 22)
    runner = CommandRunner(load_platform("cisco_ios"), host, account, HostKeys(tmp_path), 5.0)
    runner._note_shell()
    for piece in ("Password: Pl4nt-", "login\r\nPl4nt-enable? "):
        runner._check(piece, False)

    told = runner._told(ValueError("no prompt"))

    assert told.outcome == "prompt"
    assert "Password: ***" in told.detail and not PLANTED.search(told.detail)
