"""Is the server alive, and its root certificate: the two answers that need no one to sign in."""

from dataclasses import dataclass

from litestar import MediaType, Response, get

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of


@dataclass(frozen=True, slots=True)
class Health:
    """``database`` is "ok" when a query was just answered."""

    status: str
    database: str


@get("/healthz", opt={"role": "public"}, tags=["system"])
async def get_health(request: AppRequest) -> Health:
    """Return ok when the database answers; otherwise the error handler answers 503."""
    await services_of(request).db.read("SELECT 1 AS one")
    return Health("ok", "ok")


@get("/ca.pem", opt={"role": "public"}, media_type=MediaType.TEXT, tags=["system"])
async def get_ca(request: AppRequest) -> Response[str]:
    """Return the root certificate that clients pin, as PEM."""
    return Response(
        services_of(request).authority.root_pem, media_type="application/x-pem-file; charset=ascii"
    )


HANDLERS = (get_health, get_ca)
