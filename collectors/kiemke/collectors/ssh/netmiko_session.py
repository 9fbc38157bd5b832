"""netmiko's drivers, made read-only, patient for no longer than told, and particular about host keys."""

import io
import socket
from collections.abc import Callable
from typing import Any

import netmiko
import paramiko
from netmiko.ssh_dispatcher import CLASS_MAPPER_BASE

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.ssh.hostkeys import Pinned, host_name
from kiemke.collectors.ssh.login import Host, SshCredential
from kiemke.collectors.ssh.platform import Platform

MAX_READ_CHARACTERS = 8_000_000
OnNewKey = Callable[[str, bytes], None]
OnRead = Callable[[str, bool], None]


class Broken(Exception):
    """The connection ended under us."""


class TooMuch(Exception):
    """A device says more than any configuration is long."""


class KeyChanged(Exception):
    """The host shows another key than the pinned one."""

    def __init__(self, key: Any) -> None:
        super().__init__("the host key changed")
        self.key = key


class _Pinning(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]  # untyped library
    """Asked when no key of this type is known: believe the first, refuse every other one."""

    def __init__(self, pinned: Pinned | None, on_new_key: OnNewKey) -> None:
        self._pinned = pinned
        self._on_new_key = on_new_key

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        """Pin the key, or raise KeyChanged: it is asked before any password is sent."""
        if self._pinned is not None:
            raise KeyChanged(key)
        self._on_new_key(key.get_name(), key.asbytes())


class _ReadOnly:
    """What is laid over a netmiko driver: no way into configuration, and an eye on every read."""

    kiemke_pinned: Pinned | None
    kiemke_on_new_key: OnNewKey
    kiemke_on_read: OnRead
    kiemke_on_shell: Callable[[], None]
    kiemke_platform: Platform
    kiemke_read = 0
    kiemke_goodbye = "exit\n"

    def kiemke_open(self) -> None:
        """Log in, find the prompt, turn paging off; become privileged where an enable password is given."""
        self._open()  # type: ignore[attr-defined]
        secret = self.secret  # type: ignore[attr-defined]
        if secret and hasattr(self, "check_enable_mode") and not self.check_enable_mode():
            self.enable()  # type: ignore[attr-defined]

    def _build_ssh_client(self) -> paramiko.SSHClient:
        client: paramiko.SSHClient = super()._build_ssh_client()  # type: ignore[misc]
        pinned = self.kiemke_pinned
        client.set_missing_host_key_policy(_Pinning(pinned, self.kiemke_on_new_key))
        if pinned is not None:
            # Known keys make the client ask for the type that is pinned.
            name = host_name(self.host, self.port)  # type: ignore[attr-defined]
            line = f"{name} {pinned.type} {pinned.key}"
            entry = paramiko.hostkeys.HostKeyEntry.from_line(line)
            if entry is None or entry.key is None:
                raise ConfigError(f"hostkeys.json: the key of {name} is not readable")
            client.get_host_keys().add(name, pinned.type, entry.key)
        return client

    def read_channel(self) -> str:
        """Read what has come; the caller looks at each piece and may end the session."""
        text: str = super().read_channel()  # type: ignore[misc]
        self.kiemke_read += len(text)
        if self.kiemke_read > MAX_READ_CHARACTERS:
            raise TooMuch(f"more than {MAX_READ_CHARACTERS:,} characters came in one session")
        channel = self.remote_conn  # type: ignore[attr-defined]
        over = channel.closed or channel.eof_received
        self.kiemke_on_read(text, over and not channel.recv_ready())
        return text

    def session_preparation(self) -> None:
        """Tell that the shell is there, then what the driver does; FortiOS' driver would configure."""
        self.kiemke_on_shell()
        if self.kiemke_platform.name != "fortinet":
            super().session_preparation()  # type: ignore[misc]
            return
        seen = self._test_channel_read(pattern=r"to accept|[#$]")  # type: ignore[attr-defined]
        if "to accept" in seen:
            self.write_channel("a\r")  # type: ignore[attr-defined]
            self._test_channel_read(pattern=r"[#$]")  # type: ignore[attr-defined]
        self.set_base_prompt()  # type: ignore[attr-defined]

    def special_login_handler(self, delay_factor: float = 1.0) -> None:
        """Tell that the shell is there, then what the driver does."""
        self.kiemke_on_shell()
        super().special_login_handler(delay_factor)  # type: ignore[misc]

    def _refuse(self, *_: object, **__: object) -> str:
        raise ConfigError("this session is for reading only")

    config_mode = send_config_set = send_config_from_file = save_config = commit = _refuse


def make_session(
    platform: Platform,
    host: Host,
    credential: SshCredential,
    sock: socket.socket,
    budget_seconds: float,
    *,
    pinned: Pinned | None,
    on_new_key: OnNewKey,
    on_read: OnRead,
    on_shell: Callable[[], None],
) -> Any:
    """Return a session that is not logged in yet: ``kiemke_open`` does that. Raises ConfigError."""
    driver = CLASS_MAPPER_BASE[platform.name]
    members = {
        "kiemke_pinned": pinned,
        "kiemke_on_new_key": staticmethod(on_new_key),
        "kiemke_on_read": staticmethod(on_read),
        "kiemke_on_shell": staticmethod(on_shell),
        "kiemke_platform": platform,
    }
    password = credential.password.reveal() if credential.password else None
    enable = credential.enable_password
    # Drivers that must be privileged to turn paging off take the login's password where none is given.
    needs = platform.name in ("hp_procurve", "ruijie_os", "tplink_jetstream")
    secret = enable.reveal() if enable else (password or "") if needs else ""
    # FortiOS' driver would leave one old key exchange of all those the library has.
    fixed = {"disabled_algorithms": {"kex": ["none"]}} if platform.name == "fortinet" else {}
    return type("ReadOnly", (_ReadOnly, driver), members)(
        **fixed,
        device_type=platform.name,
        host=host.address,
        port=host.port,
        username=credential.user,
        password=password,
        secret=secret,
        pkey=_read_key(credential),
        use_keys=False,
        allow_agent=False,
        sock=sock,
        conn_timeout=budget_seconds,
        auth_timeout=budget_seconds,
        banner_timeout=budget_seconds,
        blocking_timeout=budget_seconds,
        session_timeout=budget_seconds,
        auto_connect=False,
    )


def _read_key(credential: SshCredential) -> paramiko.PKey | None:
    if credential.private_key is None:
        return None
    text = credential.private_key.reveal()
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise ConfigError(
        f"the private key of user {credential.user} is not readable: Ed25519, ECDSA or RSA, no passphrase"
    )


def _causes(err: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while err is not None and err not in found:
        found.append(err)
        err = err.__cause__ or err.__context__
    return found


def changed_key(err: Exception) -> tuple[str, bytes] | None:
    """Return type and bytes of the strange key when that is what went wrong."""
    for each in _causes(err):
        if isinstance(each, KeyChanged | paramiko.BadHostKeyException):
            return each.key.get_name(), each.key.asbytes()
    return None


def is_auth(err: Exception) -> bool:
    """Return whether the device did not let us in."""
    kinds = (paramiko.AuthenticationException, netmiko.NetmikoAuthenticationException)
    return isinstance(err, kinds)


def is_lost(err: Exception) -> bool:
    """Return whether the connection ended under us."""
    lost = (Broken, EOFError, ConnectionError)
    if any(isinstance(each, lost) for each in _causes(err)):
        return True
    words = ("Socket is closed", "No existing session", "Error reading SSH protocol banner")
    return any(word in str(each) for each in _causes(err) for word in words)
