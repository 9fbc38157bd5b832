"""The audit log's proof: the newest signed head to be kept elsewhere, and the whole chain read again."""

from dataclasses import dataclass, field

from litestar import get, post
from litestar.params import JSONBody

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.audit_chain import Anchor, anchor, open_key, verify
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.listing import language_of

NOUN = Both("bản ghi đã ký", "signed head")
MOST_ANCHORS = 1000
MOST_FAULTS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """Heads kept outside, as ``GET /audit/anchor`` gave them, 1000 at most."""

    anchors: list[Anchor] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """``place`` is of the chain, null of the log as a whole; ``what`` is in the language asked for."""

    place: int | None
    code: str
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """``is_whole``: no fault. ``faults`` are the first thousand of ``fault_count``."""

    is_whole: bool
    checked: int
    signed_heads: int
    unsealed: int
    fault_count: int
    faults: list[Told]


def _of_everything(request: AppRequest) -> None:
    if request.user.roots is not None:
        raise Problem(
            "forbidden",
            role=request.user.role,
            needed=Both("auditor, mọi đơn vị", "auditor, all units"),
        )


@get("/api/v1/audit/anchor", opt={"role": "auditor"}, tags=["audit"])
async def newest_anchor(request: AppRequest) -> Anchor:
    """Return the newest signed head, to be kept where nobody of the server can write.

    Only for who sees all units; 404 while nothing is sealed yet.
    """
    _of_everything(request)
    services = services_of(request)
    key = open_key(services.settings.data_dir / "audit")
    async with services.db.reading() as session:
        head = await anchor(session, key)
    if head is None:
        raise Problem("not_found", what=NOUN, ref="-")
    return head


@post("/api/v1/audit/verify", status_code=200, opt={"role": "auditor"}, tags=["audit"])
async def verify_log(request: AppRequest, data: JSONBody[Asked]) -> Verification:
    """Read the whole log and every ledger again; say each place where it is not what was sealed.

    Reads one moment and holds no writer up, one at a time. Only for who sees all units.
    """
    _of_everything(request)
    services = services_of(request)
    key = open_key(services.settings.data_dir / "audit").public_key()
    anchors = tuple(data.anchors[:MOST_ANCHORS])
    async with services.audits, services.db.snapshot() as session:
        report = await verify(session, key, services.clock(), anchors)
    vietnamese = language_of(request) == "vi"
    told = [
        Told(fault.place, fault.code, fault.say(vietnamese=vietnamese))
        for fault in report.faults[:MOST_FAULTS]
    ]
    return Verification(
        not report.faults,
        report.checked,
        report.signed_heads,
        report.unsealed,
        len(report.faults),
        told,
    )


HANDLERS = (newest_anchor, verify_log)
