"""GET /metrics (this process) and GET /metrics/fleet (the business), for scrape tokens."""

from litestar import get
from litestar.response import Response
from litestar.types import ControllerRouterHandler

from kiemke.server.auth import AppRequest, describe
from kiemke.server.errors import Both, Problem
from kiemke.server.metrics.fleet import Fleet
from kiemke.server.metrics.process import ProcessMetrics

CONTENT_TYPE = "text/plain; version=0.0.4"  # the framework adds the charset


def _part(request: AppRequest, name: str) -> object:
    return getattr(request.app.state, name, None)


@get("/metrics", opt={"role": "scrape"}, include_in_schema=False, media_type=CONTENT_TYPE)
async def process_metrics(request: AppRequest) -> Response[bytes]:
    """Return this process's own metrics: they tell of all units together."""
    if request.user.roots is not None:
        raise Problem(
            "forbidden",
            role=describe(request.user),
            needed=Both("scrape, mọi đơn vị", "scrape, all units"),
        )
    metrics = _part(request, "process_metrics")
    if not isinstance(metrics, ProcessMetrics):
        raise Problem("not_found", what="/metrics", ref="")
    return Response(metrics.render(), media_type=CONTENT_TYPE)


@get("/metrics/fleet", opt={"role": "scrape"}, include_in_schema=False, media_type=CONTENT_TYPE)
async def fleet_metrics(request: AppRequest) -> Response[bytes]:
    """Return the metrics of what the token's subtree may see."""
    fleet = _part(request, "fleet")
    if not isinstance(fleet, Fleet):
        raise Problem("not_found", what="/metrics/fleet", ref="")
    text = await fleet.render(request.user.roots)
    return Response(text.encode("utf-8"), media_type=CONTENT_TYPE)


HANDLERS: tuple[ControllerRouterHandler, ...] = (process_metrics, fleet_metrics)
