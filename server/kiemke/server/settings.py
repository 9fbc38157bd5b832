"""The server's settings: one frozen class read once from one TOML file and ``KIEMKE_*`` variables.

The environment wins over the file, the file over the default. A key nobody knows is refused, in the
file and in the environment, so that a misspelt setting never passes for the default.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kiemke.server.errors import SettingsError
from kiemke.wire.secret import Secret

LARGEST_IMPORT_BYTES = 20_971_520  # the reader of foreign files is limited to as much

DEFAULT_FILE = Path("/etc/kiemke/server.toml")
PREFIX = "KIEMKE_"
CREDENTIAL_NAME = "kiemke-secrets-key"

# Variables of the other programs of this name: a server started beside them must not stumble.
FOREIGN_PREFIXES = ("KIEMKE_AGENT_", "KIEMKE_COLLECTOR_", "KIEMKE_CLI_", "KIEMKE_TEST_")
FOREIGN_NAMES = frozenset({"KIEMKE_CONFIG", "KIEMKE_CONFIG_DIR", "KIEMKE_STATE_DIR", "KIEMKE_LANG"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key, how its text is read, default, unit ("" when none), and a sentence."""

    name: str
    read: Callable[[Any], Any]
    default: Any
    unit: str
    sentence: str


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def _optional_text(value: Any) -> str | None:
    return None if value in (None, "") else _text(value)


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser().absolute()


def _optional_path(value: Any) -> Path | None:
    return None if value in (None, "") else _path(value)


def _optional_secret(value: Any) -> Secret | None:
    return None if value in (None, "") else Secret(_text(value))


def _truth(value: Any) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise ValueError("true or false")


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return read


def _urls(value: Any) -> tuple[str, ...]:
    parts = value.split() if isinstance(value, str) else value
    wanted = "up to three https:// addresses (a list, or one text with spaces between)"
    if not isinstance(parts, list | tuple) or not 1 <= len(parts) <= 3:
        raise ValueError(wanted)
    for part in parts:
        if not isinstance(part, str) or urlsplit(part).scheme not in ("https", "http"):
            raise ValueError(wanted)
        if not urlsplit(part).hostname:
            raise ValueError(wanted)
    return tuple(part.rstrip("/") for part in parts)


def _language(value: Any) -> str:
    if value not in ("vi", "en"):
        raise ValueError('"vi" or "en"')
    return str(value)


SETTINGS = (
    Setting(
        "data_dir",
        _path,
        "/var/lib/kiemke-server",
        "folder",
        "Where the server keeps its files; servers of one database share its ca and audit folders.",
    ),
    Setting(
        "database_url",
        _optional_text,
        None,
        "sqlite:///path or postgres://user:password@host/name",
        "The database; without it, kiemke.sqlite in data_dir.",
    ),
    Setting(
        "secrets_key",
        _optional_secret,
        None,
        "64 hex digits",
        "The key that seals secrets in the database, where it shall not stand in a file.",
    ),
    Setting(
        "secrets_key_file",
        _optional_path,
        None,
        "file",
        "The file of that key; without it systemd's credential, else keys/secrets.key in data_dir.",
    ),
    Setting("listen_host", _text, "0.0.0.0", "address", "The address the server listens on."),  # noqa: S104  # agents come from the whole office
    Setting("listen_port", _whole(0, 65_535), 8443, "TCP port", "The port; 0 takes a free one."),
    Setting(
        "public_urls",
        _urls,
        ("https://127.0.0.1:8443",),
        "up to three URLs",
        "The addresses by which agents reach the server, as written into enrolment tokens.",
    ),
    Setting(
        "tls",
        _truth,
        True,
        "true or false",
        "Answer in TLS; false only behind a proxy on the same machine that passes this CA's TLS.",
    ),
    Setting(
        "utc_offset_seconds",
        _whole(-43_200, 50_400),
        25_200,
        "seconds east of UTC",
        "What a local day is; written into the database at first start and fixed from then on.",
    ),
    Setting(
        "max_batch_bytes",
        _whole(65_536, 67_108_864),
        4_194_304,
        "bytes",
        "The largest body of reports as it travels (compressed).",
    ),
    Setting(
        "max_inflated_bytes",
        _whole(65_536, 536_870_912),
        33_554_432,
        "bytes",
        "The largest body of reports once inflated.",
    ),
    Setting(
        "max_import_bytes",
        _whole(65_536, LARGEST_IMPORT_BYTES),
        LARGEST_IMPORT_BYTES,
        "bytes",
        "The largest file that may be imported.",
    ),
    Setting(
        "queue_batches",
        _whole(1, 100_000),
        256,
        "batches",
        "How many batches may wait for the writer before senders are told to come later (503).",
    ),
    Setting(
        "group_milliseconds",
        _whole(0, 1000),
        5,
        "milliseconds",
        "How long the writer gathers batches for one transaction.",
    ),
    Setting(
        "poll_seconds",
        _whole(10, 3600),
        60,
        "seconds",
        "How often collectors poll their devices and probe their targets.",
    ),
    Setting(
        "neighbours_seconds",
        _whole(0, 86_400),
        900,
        "seconds",
        "How often collectors read devices' tables of neighbours, MACs and addresses; 0: never.",
    ),
    Setting(
        "sweep_seconds",
        _whole(0, 2_592_000),
        86_400,
        "seconds",
        "How often collectors look over the registered subnets of their sites; 0: never.",
    ),
    Setting(
        "session_hours", _whole(1, 720), 12, "hours", "How long a sign-in with a password lasts."
    ),
    Setting(
        "require_totp_for_admins",
        _truth,
        False,
        "true or false",
        "Whether an admin may do nothing before enrolling a phone for one-time codes.",
    ),
    Setting(
        "jobs",
        _truth,
        True,
        "true or false",
        "Let this process lead the jobs (identity, coverage, link health) when no other does.",
    ),
    Setting("language", _language, "vi", "vi or en", "The language of answers nobody asked in."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What SETTINGS lists, read. ``database_url`` is never None here."""

    data_dir: Path
    database_url: str
    secrets_key: Secret | None
    secrets_key_file: Path | None
    listen_host: str
    listen_port: int
    public_urls: tuple[str, ...]
    tls: bool
    utc_offset_seconds: int
    max_batch_bytes: int
    max_inflated_bytes: int
    max_import_bytes: int
    queue_batches: int
    group_milliseconds: int
    poll_seconds: int
    neighbours_seconds: int
    sweep_seconds: int
    session_hours: int
    require_totp_for_admins: bool
    jobs: bool
    language: str

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """Hosts and addresses the server's certificate should carry besides its fixed name."""
        hosts = [urlsplit(url).hostname or "" for url in self.public_urls]
        if not _is_any_address(self.listen_host):
            hosts.append(self.listen_host)
        return tuple(dict.fromkeys(host for host in hosts if host))


def _is_any_address(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the file at ``path`` and the environment; raise SettingsError: what, where, remedy.

    Without ``path``: the file named by KIEMKE_CONFIG, else /etc/kiemke/server.toml where it exists.
    """
    variables = os.environ if environ is None else environ
    raw = _read_file(path, variables)
    sources = {name: f"{raw.where}: {name}" for name in raw.values}
    values = dict(raw.values)
    for variable, name in _find_variables(variables).items():
        values[name] = variables[variable]
        sources[name] = variable
    if "secrets_key" not in values and "secrets_key_file" not in values:
        given = Path(variables.get("CREDENTIALS_DIRECTORY", "")) / CREDENTIAL_NAME
        if "CREDENTIALS_DIRECTORY" in variables and given.is_file():  # systemd's LoadCredential=
            values["secrets_key_file"] = str(given)
    return make(values, sources)


def make(values: Mapping[str, Any], sources: Mapping[str, str] | None = None) -> Settings:
    """Build Settings from plain values, the rest by default. Raises SettingsError."""
    _refuse_unknown(values, "settings" if sources is None else "")
    found: dict[str, Any] = {}
    for setting in SETTINGS:
        value = values.get(setting.name, setting.default)
        if isinstance(value, Path):
            value = str(value)
        try:
            found[setting.name] = setting.read(value)
        except ValueError as error:
            where = (sources or {}).get(setting.name, setting.name)
            shown = "***" if setting.name == "secrets_key" else repr(value)
            raise SettingsError(
                f"{where} = {shown} is not {error}; {setting.sentence} "
                f"Give it a value in {setting.unit}, or leave it out for {setting.default!r}."
            ) from error
    if found["database_url"] is None:
        found["database_url"] = f"sqlite://{found['data_dir'] / 'kiemke.sqlite'}"
    if urlsplit(found["database_url"]).scheme not in ("sqlite", "postgres", "postgresql"):
        where = (sources or {}).get("database_url", "database_url")
        raise SettingsError(
            f"{where} is neither sqlite:///path nor postgres://...; correct it or leave it out."
        )
    return Settings(**found)


@dataclass(frozen=True, slots=True)
class _Raw:
    values: Mapping[str, Any]
    where: str


def _read_file(path: Path | None, variables: Mapping[str, str]) -> _Raw:
    named = path or (Path(variables["KIEMKE_CONFIG"]) if "KIEMKE_CONFIG" in variables else None)
    chosen = named or DEFAULT_FILE
    if named is None and not chosen.exists():
        return _Raw({}, str(chosen))
    try:
        values = tomllib.loads(chosen.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{chosen}: cannot be read ({error.strerror}); check the path and who may read it."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{chosen}: is not TOML ({error}); correct that line.") from error
    _refuse_unknown(values, str(chosen))
    return _Raw(values, str(chosen))


def _refuse_unknown(values: Mapping[str, Any], where: str) -> None:
    known = [setting.name for setting in SETTINGS]
    for name in values:
        if name not in known:
            raise SettingsError(f"{where}: unknown setting {name!r}; {_advise(name, known)}")


def _find_variables(variables: Mapping[str, str]) -> dict[str, str]:
    known = {f"{PREFIX}{setting.name.upper()}": setting.name for setting in SETTINGS}
    found: dict[str, str] = {}
    for variable in variables:
        if variable in known:
            found[variable] = known[variable]
        elif (
            variable.startswith(PREFIX)
            and variable not in FOREIGN_NAMES
            and not variable.startswith(FOREIGN_PREFIXES)
        ):
            raise SettingsError(
                f"environment: unknown setting {variable}; {_advise(variable, list(known))}"
            )
    return found


def _advise(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"remove it, or use one of {', '.join(known)}."


# Settings and SETTINGS say the same names in the same order, or reading them would be a guess.
if [field.name for field in fields(Settings)] != [setting.name for setting in SETTINGS]:
    raise SettingsError("settings.py: Settings and SETTINGS differ; write both alike.")
