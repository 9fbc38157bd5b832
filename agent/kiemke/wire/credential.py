"""What a credential is made of, as the server keeps it and a collector uses it; texts by field name.

``snmp``: a ``version`` ("1" or "2c" with ``community``; "3" with ``user`` and its keys, if it has any).
``ssh``: a ``user`` with ``password``, ``private_key`` or both, and the ``enable_password`` of gear that asks
for a second one. No error shows a value.
"""

from collections.abc import Mapping

AUTH_NAMES = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
# Where the digest is shorter than the key of AES-192 and AES-256, it is stretched: as Cisco does and most
# makers do, or as Blumenthal's draft says (net-snmp's "AES-256").
PRIVACY_NAMES = (
    "DES", "AES128", "AES192", "AES256", "AES192-BLUMENTHAL", "AES256-BLUMENTHAL",
)  # fmt: skip
VERSIONS = ("1", "2c", "3")
COMMUNITY_KEYS = frozenset({"version", "community"})
V3_KEYS = frozenset(
    {"version", "user", "auth_protocol", "auth_key", "privacy_protocol", "privacy_key"}
)
SSH_KEYS = frozenset({"user", "password", "private_key", "enable_password"})
MIN_KEY_CHARACTERS = 8  # RFC 3414 section 11.2: agents refuse shorter pass phrases
LONGEST_VALUE = 20_000  # a private key of 4,096 bits is 3,400 characters


class FieldError(ValueError):
    """A credential lacks something or holds what it cannot; the text shows no value."""


def check_fields(kind: str, fields: Mapping[str, object]) -> dict[str, str]:
    """Return the fields as texts. Raises FieldError saying which one is wrong and what it takes."""
    if kind == "snmp":
        version = fields.get("version")
        if version not in VERSIONS:
            raise FieldError('needs version = "2c" or version = "3" ("1" for old gear)')
        texts = _texts(fields, V3_KEYS if version == "3" else COMMUNITY_KEYS)
        if version == "3":
            _check_v3(texts)
        elif "community" not in texts:
            raise FieldError('has no "community"; set it or use version = "3"')
        return texts
    if kind == "ssh":
        texts = _texts(fields, SSH_KEYS)
        if "user" not in texts:
            raise FieldError('has no "user"; set it')
        if not {"password", "private_key"} & texts.keys():
            raise FieldError('has neither "password" nor "private_key"; set one')
        return texts
    raise FieldError(f'is of no known kind: "{kind}"; known: snmp, ssh')


def _texts(fields: Mapping[str, object], known: frozenset[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in fields.items():
        if key not in known:
            raise FieldError(f'unknown key "{key}"; known: {", ".join(sorted(known))}')
        if not isinstance(value, str) or not value:
            raise FieldError(f'"{key}" must be text in quotes, and not empty')
        if len(value) > LONGEST_VALUE or "\0" in value:
            raise FieldError(f'"{key}" is too long, or holds a NUL')
        texts[key] = value
    return texts


def _check_v3(texts: Mapping[str, str]) -> None:
    if "user" not in texts:
        raise FieldError('has no "user"; set it')
    for protocol, key, names in (
        ("auth_protocol", "auth_key", AUTH_NAMES),
        ("privacy_protocol", "privacy_key", PRIVACY_NAMES),
    ):
        if (protocol in texts) != (key in texts):
            missing, given = (key, protocol) if protocol in texts else (protocol, key)
            raise FieldError(f'has "{given}" but no "{missing}"; set both or neither')
        if protocol in texts and texts[protocol] not in names:
            raise FieldError(f'"{protocol}" must be one of {", ".join(names)}')
        if key in texts and len(texts[key]) < MIN_KEY_CHARACTERS:
            raise FieldError(f'"{key}" needs {MIN_KEY_CHARACTERS} characters or more')
    if "privacy_key" in texts and "auth_key" not in texts:
        raise FieldError('has privacy without authentication; set "auth_protocol" too')
