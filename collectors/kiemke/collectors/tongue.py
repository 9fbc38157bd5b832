"""What the collector writes in English where it arises, in the reader's language."""

import sys
from typing import TextIO

from kiemke.wire.mouth import open_mouth
from kiemke.wire.settings import language
from kiemke.wire.spoken_help import SpokenParser

PACKAGES = ("kiemke.wire", "kiemke.collectors")
EXAMPLES = (
    ("enroll TOKEN", "make this collector known to its server"),
    ("run", "the service itself"),
    ("status", "what it does and what waits to be sent"),
    ("--once 10.5.9.2 --debug", "one poll, every packet shown"),
    ("--once 17", "poll the assigned device 17"),
    ("probe snmp 10.5.9.2", "vendor, model, version, serial"),
    ("probe ssh 10.5.9.2", "its configuration, secrets masked"),
    ("discover", "sweep the registered subnets"),
    ("discover --crawl", "from device to device, by LLDP"),
    ("hostkey forget 10.5.9.2", "replaced: believe its new key"),
    ("relay on", "let the site's agents pass through"),
    ("traps on --listen 162", "poll at once when one sends a trap"),
    ("service install", "on Windows: start with the machine"),
)
CREDENTIALS = (
    "",
    "SNMP credentials stand in credentials.toml in the state folder, mode 0600:",
    "  [default]",
    '  version = "2c"                 # "1", "2c", "3"',
    '  community = "..."',
    "  [core]",
    '  version = "3"',
    '  user = "..."',
    '  auth_protocol = "SHA256"       # MD5 SHA1 SHA224 SHA256 SHA384 SHA512',
    '  auth_key = "..."',
    '  privacy_protocol = "AES128"    # DES AES128 AES192 AES256',
    '  privacy_key = "..."            # AES192-BLUMENTHAL AES256-BLUMENTHAL',
    "and SSH accounts:",
    "  [switches]",
    '  kind = "ssh"',
    '  user = "..."',
    '  password = "..."               # private_key, enable_password',
)


def in_tongue(text: str) -> str:
    """Return an English text in the reader's language; as it is, where it is unknown or he reads English."""
    if language() != "vi":
        return text
    from kiemke.wire.tongue import in_vietnamese  # a table that English never needs

    return in_vietnamese(text, *PACKAGES)


def say(text: str, file: TextIO | None = None) -> None:
    """Print an English text in the reader's language, to standard output by default."""
    open_mouth()
    print(in_tongue(text), file=sys.stdout if file is None else file, flush=True)


class Parser(SpokenParser):
    """The collector's command line."""

    in_tongue = staticmethod(in_tongue)
    examples = EXAMPLES
    below = CREDENTIALS
