"""Who was said to use this PC, and its sticker, when it was installed. Source: the agent's own file."""

from kiemke.agent.claim import is_empty, read_claim
from kiemke.agent.files import StateError
from kiemke.agent.host import Host
from kiemke.agent.sensors.errors import SensorError
from kiemke.wire.inventory import Row

NAME = "claimed_holder"
SECTIONS = ("claimed_holder",)
SOURCE = "the answer given at installation, kept in the agent's own folder"
RIGHTS = "any account"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one ClaimedHolder, none where it was taken back; absent where nobody was asked.

    Raises SensorError.
    """
    try:
        claim = read_claim(host.folder)
    except StateError as err:
        raise SensorError(str(err)) from err
    if claim is None:
        return {}
    return {"claimed_holder": () if is_empty(claim) else (claim,)}
