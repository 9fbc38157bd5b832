"""Coverage of a day on the tree of a later day: where the units of then went."""

from datetime import date, timedelta
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.coverage_recast import recast
from kiemke.server.domain.text import sort_key
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.coverage import Coverage, make_coverage
from kiemke.server.resources.listing import Page
from kiemke.server.resources.tree import Moment, load_refs, visible_units


@get("/api/v1/coverage/recast", opt={"role": "viewer"}, tags=["coverage"])
async def list_recast(
    request: AppRequest,
    moment: NamedDependency[Moment],
    tree: Annotated[
        date | None, QueryParameter(description="day of the tree, not before as_of; default today")
    ] = None,
    unit: Annotated[str | None, QueryParameter(description="code on that day: its subtree")] = None,
) -> Page[Coverage]:
    """List coverage of as_of by the units of another day, by succession; split units stay apart."""
    services = services_of(request)
    tree_day = tree or services.today()
    day = min(moment.day, services.today() - timedelta(days=1))
    if not day <= tree_day <= services.today():
        wanted = Both("từ as_of đến hôm nay", "between as_of and today")
        raise Problem("bad_field", field="tree", value=str(tree_day), wanted=wanted)
    later = Moment(tree_day, moment.known_ms)
    allowed = await visible_units(services, request.user, later, unit)
    refs = await load_refs(services, later)
    async with services.db.snapshot() as session:
        rows, kept = await recast(session, day, tree_day, moment.known_ms)
    # What could not follow belongs to no part: who sees all its parts, and so a unit above, sees it.
    stands = {row.unit_id: row.unit_id for row in rows} | {u: k.parent_id for u, k in kept.items()}
    reach = None if allowed is None else set(allowed)
    seen = [
        row
        for row in rows
        if row.unit_id in refs and (reach is None or stands[row.unit_id] in reach)
    ]
    seen.sort(key=lambda row: (sort_key(refs[row.unit_id].name), row.unit_id, row.kinds))
    ends = {unit: each.ended.isoformat() for unit, each in kept.items()}
    told = [make_coverage(row, refs[row.unit_id], ends.get(row.unit_id)) for row in seen]
    return Page(told, len(told), None)


HANDLERS = (list_recast,)
