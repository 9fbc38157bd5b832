"""Visits by SSH to played devices of every platform, and everything that can go wrong on the way."""

import asyncio
import re
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from kiemke.collectors.ssh.hostkeys import HostKeys
from kiemke.collectors.ssh.login import Host, SshCredential
from kiemke.collectors.ssh.platform import load_platform
from kiemke.collectors.ssh.platforms import PLATFORMS
from kiemke.collectors.ssh.read import Reading, SshReader
from kiemke.collectors.ssh.runner import CommandRunner
from kiemke.wire.host_key import shown
from kiemke.wire.secret import Secret
from tests.support.ssh_devices import PASSWORD, USER, Played, Sshd, play, read_recording, run_sshd

CREDENTIAL = SshCredential(USER, Secret(PASSWORD))
SLOW_MACHINE_SECONDS = 60.0
# What a session may send beside its platform's list: nothing, a page, a login's and a logout's word.
HARMLESS = {"", "\r", "\n", " ", "exit", "quit", "logout", "enable"}


async def visit(
    played: Played,
    platform: str,
    state: Path,
    credential: SshCredential = CREDENTIAL,
) -> Reading:
    reader = SshReader(HostKeys(state))
    try:
        return await reader.read(
            load_platform(platform),
            Host("127.0.0.1", played.port),
            credential,
            SLOW_MACHINE_SECONDS,
        )
    finally:
        reader.close()


@pytest.fixture
def time_over_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a session's time be over once these words came, however slow the machine is."""
    check = CommandRunner._check

    def set_words(words: str) -> None:
        def checking(runner: CommandRunner, text: str, is_over: bool) -> None:
            check(runner, text, is_over)
            if runner._phase != "log in" and words in runner._tail:
                runner._ends_at = time.monotonic()

        monkeypatch.setattr(CommandRunner, "_check", checking)

    return set_words


async def test_every_platform_gives_facts_and_a_whole_configuration(tmp_path: Path) -> None:
    """All at once, as a collector would: logins, paging off, templates, patterns, masks, log out."""

    async def one(name: str) -> tuple[str, Reading, Played]:
        recording = read_recording(name)
        async with play(recording) as played:
            state = tmp_path / name
            state.mkdir()
            return name, await visit(played, name, state), played

    found = await asyncio.gather(*(one(name) for name in PLATFORMS))

    problems: list[object] = []
    for name, reading, played in found:
        if reading.outcome != "ok" or reading.facts != played.recording.facts:
            problems.append((name, reading.outcome, reading.detail, reading.facts))
        if not all("name" in row for row in reading.tables.get("interfaces") or [{}]):
            problems.append((name, "no interfaces"))
        platform = load_platform(name)
        typed = {line.strip() for line in played.lines}
        strange = typed - platform.commands - set(platform.prepare) - HARMLESS
        if strange:
            problems.append((name, "typed", strange))
        # Some drivers send a width or a paging command only in some states; none sends another.
        if reading.config is None or "Pl4nt" in reading.config.text:
            problems.append((name, "configuration", reading.config))
    assert problems == []


async def test_a_wrong_password_is_told_as_such_and_tried_once(tmp_path: Path) -> None:
    async with play(read_recording("cisco_ios")) as played:
        wrong = SshCredential(USER, Secret("other-Pl4ntZY"))

        reading = await visit(played, "cisco_ios", tmp_path, wrong)

    assert reading.outcome == "auth"
    assert "user kiemke" in (reading.detail or "")
    assert "Pl4nt" not in repr(reading)
    assert played.logins == 0


async def test_a_changed_host_key_is_refused_before_the_password_is_sent(tmp_path: Path) -> None:
    recording = read_recording("linux")
    async with play(recording) as played:
        first = await visit(played, "linux", tmp_path)
        port = played.port
    async with play(recording, asyncssh.generate_private_key("ecdsa-sha2-nistp256"), port) as other:
        second = await visit(other, "linux", tmp_path)
    async with play(recording, asyncssh.generate_private_key("ssh-ed25519"), port) as third:
        same_type = await visit(third, "linux", tmp_path)
        HostKeys(tmp_path).forget("127.0.0.1")
        after = await visit(third, "linux", tmp_path)

    assert (first.outcome, second.outcome, same_type.outcome) == ("ok", "host_key", "host_key")
    assert (other.logins, third.logins) == (0, 1)
    assert second.host_key not in (None, first.host_key)
    assert "kiemke-collector hostkey forget 127.0.0.1" in (second.detail or "")
    assert (after.outcome, after.host_key) == ("ok", same_type.host_key)


async def test_a_slow_device_ends_at_its_deadline_with_what_it_had_told(
    tmp_path: Path, time_over_at: Callable[[str], None]
) -> None:
    time_over_at("cat /etc/os-release")
    recording = read_recording("linux")
    async with play(recording) as played:
        played.answer_delay_seconds = 3600.0

        reading = await visit(played, "linux", tmp_path)

    assert reading.outcome == "timeout"
    assert '"cat /etc/os-release"' in (reading.detail or "")


async def test_half_a_prompt_is_no_prompt(
    tmp_path: Path, time_over_at: Callable[[str], None]
) -> None:
    time_over_at("<SW-")
    async with play(read_recording("huawei_vrp")) as played:
        played.half_prompt = True

        reading = await visit(played, "huawei_vrp", tmp_path)

    assert reading.outcome == "prompt"
    assert "<SW-" in (reading.detail or "")


async def test_a_device_that_hangs_up_amid_its_configuration_gives_none(tmp_path: Path) -> None:
    recording = read_recording("linux")
    async with play(recording) as played:
        played.hang_up_after = load_platform("linux").config

        reading = await visit(played, "linux", tmp_path)

    assert (reading.outcome, reading.config) == ("disconnected", None)
    assert reading.facts == recording.facts


async def test_a_configuration_without_its_last_line_is_not_taken(tmp_path: Path) -> None:
    recording = read_recording("huawei_vrp")
    command = load_platform("huawei_vrp").config
    recording.answers[command] = recording.answers[command].replace("\nreturn\n", "\n")
    async with play(recording) as played:
        reading = await visit(played, "huawei_vrp", tmp_path)

    assert (reading.outcome, reading.config) == ("partial", None)
    assert "last line is missing" in (reading.detail or "")


async def test_an_account_without_rights_still_gives_facts(tmp_path: Path) -> None:
    recording = read_recording("huawei_vrp")
    recording.answers[load_platform("huawei_vrp").config] = (
        "Error: You do not have permission to run the command or the command is incomplete.\n"
    )
    async with play(recording) as played:
        reading = await visit(played, "huawei_vrp", tmp_path)

    assert (reading.outcome, reading.config) == ("partial", None)
    assert "refuses 'display current-configuration'" in (reading.detail or "")
    assert reading.facts == recording.facts


async def test_a_prompt_quoted_in_the_configuration_does_not_end_it(tmp_path: Path) -> None:
    recording = read_recording("linux")
    command = load_platform("linux").config
    recording.answers[command] += f"# {recording.prompt} is what it shows\nlast line\n"
    async with play(recording) as played:
        reading = await visit(played, "linux", tmp_path)

    assert reading.config is not None
    assert reading.config.text.endswith("last line\n")


async def test_nobody_listens(tmp_path: Path) -> None:
    async with play(read_recording("linux")) as played:
        pass

    reading = await visit(played, "linux", tmp_path)

    assert reading.outcome == "unreachable"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """The real sshd, started once."""
    with run_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


async def visit_sshd(sshd: Sshd, state: Path, key: str) -> Reading:
    reader = SshReader(HostKeys(state))
    credential = SshCredential(sshd.user, private_key=Secret(key))
    host = Host("127.0.0.1", sshd.port)
    try:
        return await reader.read(load_platform("linux"), host, credential, SLOW_MACHINE_SECONDS)
    finally:
        reader.close()


async def test_the_real_sshd_lets_a_key_in_and_this_machine_tells_what_it_is(
    sshd: Sshd, tmp_path: Path
) -> None:
    reading = await visit_sshd(sshd, tmp_path, sshd.private_key)

    assert reading.outcome == "ok", reading.detail
    assert reading.host_key is not None and shown(reading.host_key).endswith(sshd.fingerprint)
    os_release = Path("/etc/os-release").read_text("utf-8")
    assert f'PRETTY_NAME="{reading.facts["version"]}"' in os_release
    assert {"name": "lo"} in reading.tables["interfaces"]
    assert reading.config is not None
    hosts = Path("/etc/hosts").read_text("utf-8").split()
    assert hosts == [] or re.search(r"==> /etc/hosts <==", reading.config.text)


async def test_the_real_sshd_refuses_is_slow_or_says_half_a_prompt(
    sshd: Sshd, tmp_path: Path, time_over_at: Callable[[str], None]
) -> None:
    strange = await visit_sshd(sshd, tmp_path, sshd.keys["strange"])
    time_over_at("")
    slow = await visit_sshd(sshd, tmp_path, sshd.keys["slow"])
    time_over_at("kiem")
    half = await visit_sshd(sshd, tmp_path, sshd.keys["half"])

    assert [each.outcome for each in (strange, slow, half)] == ["auth", "prompt", "prompt"]
    assert all((each.config, each.facts) == (None, {}) for each in (strange, slow, half))
    assert "came was 'kiem'" in (half.detail or "")


async def test_the_real_sshd_with_another_key_than_the_pinned_one_is_told_no_name(
    sshd: Sshd, tmp_path: Path
) -> None:
    strange = asyncssh.generate_private_key("ssh-ed25519").export_public_key().split()
    keys = HostKeys(tmp_path)
    keys.pin(f"[127.0.0.1]:{sshd.port}", "ssh-ed25519", b64decode(strange[1]))

    reading = await visit_sshd(sshd, tmp_path, sshd.private_key)

    assert (reading.outcome, reading.config) == ("host_key", None)
    assert reading.host_key is not None and shown(reading.host_key).endswith(sshd.fingerprint)


@pytest.mark.parametrize("command", ["configure terminal", "write erase", "reload"])
async def test_a_session_runs_nothing_off_its_list(command: str, tmp_path: Path) -> None:
    from kiemke.collectors.ssh.runner import CommandRunner

    async with play(read_recording("cisco_ios")) as played:
        host = Host("127.0.0.1", played.port)
        runner = CommandRunner(
            load_platform("cisco_ios"), host, CREDENTIAL, HostKeys(tmp_path), 5.0
        )
        with pytest.raises(ValueError, match="not on the list"):
            runner.run(command)

    assert played.lines == []
