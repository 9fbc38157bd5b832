"""Whole machines for tests: a small Debian, booted by systemd-nspawn or as a guest of QEMU.

The Debian is made once by debootstrap into .cache/machines and never changed: each test works on an
overlay of it. Everything needs root, and a network namespace of the test's own.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.peers import ROOT, end_process, require_peer, wait_until

CACHE = ROOT / ".cache" / "machines"
INCLUDE = (
    "systemd,systemd-sysv,dbus,python3,iproute2,procps,passwd,kmod,udev,linux-image-cloud-amd64"
)
BOOT_SECONDS = 60.0
HALT_SIGNAL = signal.SIGRTMIN + 4  # systemd(1): power off


def debian_tree() -> Path:
    """Return a Debian 12 of our own, made at the first call (a minute); skips where none can be made."""
    if os.geteuid() != 0:
        pytest.skip("only root can boot a machine: run make test-slow as root")
    program = require_peer("debootstrap")
    tree = CACHE / "bookworm"
    if not tree.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = CACHE / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        subprocess.run(
            [program, "--variant=minbase", f"--include={INCLUDE}", "bookworm", str(fresh)],
            check=True, capture_output=True, timeout=600,
        )  # fmt: skip
        fresh.rename(tree)
    return tree


@contextlib.contextmanager
def overlay(tree: Path, folder: Path) -> Iterator[Path]:
    """Yield a writable view of ``tree``; what is written lies below ``folder``."""
    upper, work, merged = (folder / name for name in ("upper", "work", "merged"))
    for each in (upper, work, merged):
        each.mkdir(parents=True)
    options = f"lowerdir={tree},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(merged)], check=True)
    try:
        yield merged
    finally:
        subprocess.run(["umount", "-l", str(merged)], check=True)


@contextlib.contextmanager
def namespace(name: str, inside: str, outside: str) -> Iterator[Path]:
    """Yield a network namespace that reaches this machine at the address ``outside``, and no more."""
    ip = require_peer("ip")
    veth, peer = f"{name[:12]}a", f"{name[:12]}b"
    subprocess.run([ip, "netns", "add", name], check=True)
    try:
        for words in (
            ["link", "add", veth, "type", "veth", "peer", "name", peer, "netns", name],
            ["addr", "add", f"{outside}/30", "dev", veth],
            ["link", "set", veth, "up"],
            ["-n", name, "addr", "add", f"{inside}/30", "dev", peer],
            ["-n", name, "link", "set", peer, "up"],
            ["-n", name, "link", "set", "lo", "up"],
            ["-n", name, "route", "add", "default", "via", outside],
            # What a machine's own systemd-sysctl does of /usr/lib/sysctl.d; a container may not.
            ["netns", "exec", name, "sh", "-c",
             "echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range"],
        ):  # fmt: skip
            subprocess.run([ip, *words], check=True)
        yield Path("/run/netns") / name
    finally:
        subprocess.run([ip, "netns", "del", name], check=False)


@dataclass(frozen=True, slots=True)
class Machine:
    """A container whose first process is a real systemd."""

    root: Path
    init: int

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command inside, as its root, to its end."""
        entered = ["nsenter", "--target", str(self.init), "--all", "--", "/usr/bin/env", "-i",
                   "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command]  # fmt: skip
        done = subprocess.run(entered, capture_output=True, text=True, check=False, timeout=120)
        if check:
            assert done.returncode == 0, (command, done.stdout[-800:], done.stderr[-800:])
        return done

    def shows(self, unit: str, *names: str) -> list[str]:
        """Return properties of a unit."""
        said = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout
        found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        return [found[name] for name in names]


@contextlib.contextmanager
def booted(root: Path, network: Path, log: Path) -> Iterator[Machine]:
    """Boot ``root`` under systemd-nspawn, yield it when systemd is up, power it off."""
    command = [
        require_peer("systemd-nspawn"), "-q", "-D", str(root), "-b", "--register=no", "--keep-unit",
        "--console=pipe", f"--machine=kiemke{os.getpid()}", f"--network-namespace-path={network}",
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def up() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"the container ended: {log.read_text()[-2000:]}")
            if not (found := children.read_text().split()):
                return False
            said = Machine(root, int(found[-1])).run("systemctl", "is-system-running", check=False)
            return said.stdout.strip() in ("running", "degraded")

        wait_until(up, "systemd is up in the container", BOOT_SECONDS)
        machine = Machine(root, int(children.read_text().split()[-1]))
        yield machine
        os.kill(machine.init, HALT_SIGNAL)
        process.wait(BOOT_SECONDS)
    finally:
        end_process(process, signal.SIGTERM, 20.0)


def chroot(root: Path, *command: str) -> None:
    """Run a command in a tree that is not booted, as an image is prepared."""
    done = subprocess.run(
        ["chroot", str(root), "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (command, done.stdout[-800:], done.stderr[-800:])


def run_guest(root: Path, folder: Path, options: list[str], until: float) -> str:
    """Boot ``root`` as a guest of QEMU's own emulation until it powers itself off; return its console.

    Its user network reaches this machine's loopback at 10.0.2.2 and nothing else.
    """
    disk = folder / "root.img"
    with disk.open("wb") as file:
        file.truncate(2 << 30)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(root), str(disk)], check=True, timeout=300)
    boot = root / "boot"
    (kernel,) = boot.glob("vmlinuz-*")
    (initrd,) = boot.glob("initrd.img-*")
    console = folder / "console.log"
    command = [
        require_peer("qemu-system-x86_64"), "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "512",
        "-smp", "2", "-display", "none", "-no-reboot", "-serial", f"file:{console}",
        "-kernel", str(kernel), "-initrd", str(initrd),
        "-append", "root=/dev/vda rw console=ttyS0 quiet",
        "-drive", f"file={disk},format=raw,if=virtio,cache=unsafe",
        "-nic", "user,model=virtio-net-pci", *options,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    end = time.monotonic() + until
    try:
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
        ended = process.poll()
    finally:
        end_process(process, signal.SIGTERM, 20.0)
    text = console.read_text("utf-8", "replace") if console.exists() else ""
    assert ended == 0, f"the guest did not power off: {text[-2000:]}"
    return text
