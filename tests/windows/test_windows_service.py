"""The agent as a Windows service, under Wine's service manager: made, started, stopped, by its account."""

import json
import shutil
from collections.abc import Iterator

import pytest

from kiemke.wire.windows_service.access import folder_sddl, service_sid
from tests.support.peers import wait_until
from tests.support.server_process import ServerProcess
from tests.support.wine import (
    WindowsPc,
    enrolment_token,
    events,
    reporting,
)

PATIENCE = 60
STATE = r"C:\ProgramData\kiemke-agent"

# Lets Windows read the access list and write it down again.
READ_SDDL = """
import ctypes
from ctypes import byref, c_uint32, c_void_p, c_wchar_p
from kiemke.wire.windows_service.access import folder_sddl
a = ctypes.WinDLL("advapi32")
sd, text = c_void_p(), c_wchar_p()
assert a.ConvertStringSecurityDescriptorToSecurityDescriptorW(c_wchar_p(folder_sddl("kiemke-agent")), 1, byref(sd), None)
assert a.ConvertSecurityDescriptorToStringSecurityDescriptorW(sd, 1, c_uint32(4), byref(text), None)
print(text.value)
"""
# Asks the service manager for the account, the start type and the restarts after a failure.
READ_SERVICE = """
import ctypes, json
from ctypes import byref, c_uint32, c_void_p, c_wchar_p
a = ctypes.WinDLL("advapi32")
for n in ("OpenSCManagerW", "OpenServiceW"): getattr(a, n).restype = c_void_p
s = c_void_p(a.OpenServiceW(c_void_p(a.OpenSCManagerW(None, None, 1)), c_wchar_p("kiemke-agent"), 1))
class Config(ctypes.Structure):
    _fields_ = [("type", c_uint32), ("start", c_uint32), ("error", c_uint32), ("path", c_wchar_p),
        ("group", c_wchar_p), ("tag", c_uint32), ("deps", c_void_p), ("account", c_wchar_p), ("name", c_wchar_p)]
room, need = ctypes.create_string_buffer(8192), c_uint32()
assert a.QueryServiceConfigW(s, room, 8192, byref(need)), ctypes.get_last_error()
c = Config.from_buffer(room)
print(json.dumps({"start": c.start, "path": c.path, "account": c.account, "name": c.name}))
"""


def test_the_account_of_the_service_is_the_one_windows_computes() -> None:
    # What `sc showsid TrustedInstaller` prints on every Windows.
    assert service_sid("TrustedInstaller") == (
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    )


@pytest.fixture
def service_name(pc: WindowsPc) -> Iterator[str]:
    """The service's name; it is deleted afterwards with all it left, and finds nothing of another's."""
    shutil.rmtree(pc.drive / "ProgramData" / "kiemke-agent", ignore_errors=True)
    yield "kiemke-agent"
    pc.run("sc", "delete", "kiemke-agent")
    shutil.rmtree(pc.drive / "ProgramData" / "kiemke-agent")


def test_installed_started_enrolled_and_stopped_by_the_manager(
    pc: WindowsPc, server: ServerProcess, service_name: str
) -> None:
    file = pc.drive / "enrolment.txt"
    file.write_text(enrolment_token(server) + "\r\n", "utf-8-sig")

    before = reporting(server)
    bare = pc.agent("setup")
    started = pc.run("net", "start", service_name)
    log_file = pc.drive / "ProgramData" / "kiemke-agent" / "agent.log"
    wait_until(
        lambda: log_file.exists() and "waiting" in log_file.read_text("utf-8"), "it waits", PATIENCE
    )
    waiting = pc.run("sc", "query", service_name).stdout
    setup = pc.agent("setup", "--token-file", r"C:\enrolment.txt")
    sddl = pc.python(READ_SDDL).stdout
    service = json.loads(pc.python(READ_SERVICE).stdout)
    wait_until(lambda: reporting(server) > before, "the service's first sample is there", PATIENCE)
    stopped = pc.run("net", "stop", service_name)

    assert (bare.stdout, bare.returncode) == ("ready, not enrolled\n", 0)
    assert "RUNNING" in waiting, "an installer takes a service that ends for one that cannot start"
    assert (setup.stdout, setup.returncode) == ("ready: it enrols as soon as it runs\n", 0)
    assert not file.exists()
    assert service == {
        "start": 2,
        "path": service["path"],
        "account": r"NT SERVICE\kiemke-agent",
        "name": "kiemke agent",
    }
    assert service["path"].endswith(
        rf'\kiemke-agent-service.exe" -m kiemke.agent.main service --state "{STATE}"'
    )
    assert sddl == folder_sddl("kiemke-agent") + "\n"
    assert (started.returncode, stopped.returncode) == (0, 0)
    assert "Traceback" not in log_file.read_text("utf-8")
    (source,) = reporting(server) - before
    # A slow machine may end the service before its last post: then it waits in the outbox.
    assert pc.agent("run", "--once").returncode == 0
    assert events(server, source) == ["boot", "shutdown"]
    assert not (pc.drive / "ProgramData" / "kiemke-agent" / "token").exists()


def test_the_folder_is_closed_to_all_but_the_system_administrators_and_the_service() -> None:
    """Wine keeps no access lists: what Windows is given is all that can be looked at here."""
    sid = service_sid("kiemke-agent")

    assert folder_sddl("kiemke-agent") == (
        f"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;{sid})"
    )


# What somebody without rights made before the installation, and what becomes of it. Wine gives every file to the
# account that runs: who is believed is named here.
PLANTED = r"""
from pathlib import Path
from kiemke.wire.windows_service import owner
folder = Path(r"C:\planted\kiemke-agent")
print(owner.secure(folder, "kiemke-agent"), folder.is_dir(), owner.owner_of(folder) in owner.trusted("kiemke-agent"))
(folder / "identity.json").write_text("{}")
print(owner.secure(folder, "kiemke-agent"), [one.name for one in folder.iterdir()])
believed = owner.trusted
owner.trusted = lambda name: frozenset({"S-1-5-18"})
where, whose = owner.stranger(folder, owner.trusted(""))
print(where == folder, whose.startswith("S-1-5-"))
aside = owner.secure(folder, "kiemke-agent")
print(aside.name.startswith("kiemke-agent.not-ours-"), [one.name for one in aside.iterdir()], list(folder.iterdir()))
owner.trusted = believed
class Held(Path().__class__):
    def rename(self, to):
        raise PermissionError(13, "held open")
owner.trusted = lambda name: frozenset({"S-1-5-18"})
try:
    owner.secure(Held(folder), "kiemke-agent")
except PermissionError as err:
    print(err.strerror)
"""


def test_a_folder_that_somebody_else_made_first_is_set_aside_and_not_believed(
    pc: WindowsPc,
) -> None:
    done = pc.python(PLANTED)

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "None True True",
        "None ['identity.json']",
        "True True",
        "True ['identity.json'] []",
        "held open",
    ]


def test_what_installs_reads_no_file_through_a_link_of_a_folder(pc: WindowsPc) -> None:
    """Windows lets everybody make links of folders: one in the agent's place would show the system anything."""
    inbox = pc.drive / "inbox-of-a-test" / "update"
    inbox.mkdir(parents=True)
    (inbox / "offer.signed").write_bytes(b"an offer")
    code = (
        "from pathlib import Path; from kiemke.agent.files import open_plain\n"
        r"p = Path(r'C:\inbox-of-a-test\update\offer.signed')"
        "\ntry: print(open_plain(p, foreign=True).read())\nexcept OSError as err: print(err)"
    )

    plain = pc.python(code)
    inbox.rename(inbox.with_name("elsewhere"))
    inbox.symlink_to(inbox.with_name("elsewhere"))
    linked = pc.python(code)

    assert plain.stdout == "b'an offer'\n", plain
    assert linked.stdout.endswith("leads elsewhere\n"), linked
