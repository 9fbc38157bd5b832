"""SNMPv3 users in the form of gufo-snmp, with their keys hashed once."""

from gufo.snmp import user as keys

from kiemke.collectors.credentials import Credential

# A key of each protocol by its name in credentials.toml.
AUTH_KEYS: dict[str, type[keys.BaseAuthKey]] = {
    "MD5": keys.Md5Key,
    "SHA1": keys.Sha1Key,
    "SHA224": keys.Sha224Key,
    "SHA256": keys.Sha256Key,
    "SHA384": keys.Sha384Key,
    "SHA512": keys.Sha512Key,
}
PRIVACY_KEYS: dict[str, type[keys.BasePrivKey]] = {
    "DES": keys.DesKey,
    "AES128": keys.Aes128Key,
    "AES192": keys.Aes192Key,
    "AES256": keys.Aes256Key,
    "AES192-BLUMENTHAL": keys.Aes192Key,
    "AES256-BLUMENTHAL": keys.Aes256Key,
}


class Users:
    """SNMPv3 users with their keys hashed once (a mebibyte each), by credential name."""

    def __init__(self) -> None:
        self._users: dict[str, keys.User] = {}

    def get(self, credential: Credential) -> keys.User:
        """Return the library's form of a v3 credential."""
        found = self._users.get(credential.name)
        if found is None:
            found = self._users[credential.name] = _make_user(credential)
        return found


def _make_user(credential: Credential) -> keys.User:
    if credential.auth_key is None or credential.auth_protocol is None:
        return keys.User(credential.user or "")
    kind = AUTH_KEYS[credential.auth_protocol]
    auth = kind(
        kind.get_master_key(credential.auth_key.reveal().encode()), key_type=keys.KeyType.Master
    )
    if credential.privacy_key is None or credential.privacy_protocol is None:
        return keys.User(credential.user or "", auth_key=auth)
    # The privacy key is hashed by the authentication protocol (RFC 3414 section 2.6).
    private = PRIVACY_KEYS[credential.privacy_protocol](
        kind.get_master_key(credential.privacy_key.reveal().encode()), key_type=keys.KeyType.Master
    )
    stretch = keys.KeyExpansion.Cisco
    if credential.privacy_protocol.endswith("-BLUMENTHAL"):
        stretch = keys.KeyExpansion.Blumenthal
    return keys.User(credential.user or "", auth_key=auth, priv_key=private, key_expansion=stretch)
