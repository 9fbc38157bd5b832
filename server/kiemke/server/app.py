"""The ASGI application: routes, lifespan, guard, errors, headers."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from litestar import Litestar, Request, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import (
    ASGIApp,
    ControllerRouterHandler,
    HTTPScope,
    LifeSpanReceive,
    LifeSpanScope,
    LifeSpanSend,
    Message,
    Receive,
    Scope,
    Send,
)

from kiemke.server.audit import ORIGIN, Origin
from kiemke.server.auth import authorise, walk_access
from kiemke.server.ca import open_authority
from kiemke.server.context import Services, read_clock_ms
from kiemke.server.db import Database
from kiemke.server.domain.audit_chain import open_key
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import Problem
from kiemke.server.ingest.endpoint import REPORTS_PATH, reports_endpoint, take_reports
from kiemke.server.ingest.writer import Writer
from kiemke.server.installation import ensure_installation
from kiemke.server.jobs.leader import Leader
from kiemke.server.jobs.table import jobs
from kiemke.server.metrics import endpoint as metrics_endpoint
from kiemke.server.metrics.fleet import Fleet
from kiemke.server.metrics.process import ProcessMetrics
from kiemke.server.problems import handle
from kiemke.server.resources import HANDLERS
from kiemke.server.resources.listing import provide_moment, provide_query
from kiemke.server.settings import Settings
from kiemke.wire import __version__

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; style-src 'unsafe-inline'; "
    b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b"cache-control": b"no-store",
}


# Anybody may send a body, so none but a file to import (its route says so) is large.
LARGEST_BODY_BYTES = 65_536
LONGEST_USER_AGENT = 200
# How long a whole body may take: 20 MB at 1 Mbps. Without an end, idle senders hold connections.
BODY_SECONDS = 180.0


class _NoPages(Router):
    """Takes none of the stock API pages: they load scripts from elsewhere; we serve our own."""

    def register(self, value: ControllerRouterHandler) -> list[Any]:
        """Register nothing."""
        return []


class _Application(Litestar):
    """Litestar, but the one request that senders make all day goes straight to its handler.

    Routing, dependencies, compression and guards of the framework cost as much as taking the reports.
    """

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """Answer one request, or live through the lifespan."""
        if scope["type"] == ScopeType.HTTP:
            asked = cast(HTTPScope, scope)
            if asked["path"] == REPORTS_PATH:
                asked["app"] = asked["litestar_app"] = self
                asked.setdefault("state", {})
                await _reports(asked, cast(Receive, receive), cast(Send, send))
                return
        await super().__call__(scope, receive, send)


def make_services(settings: Settings, clock: Callable[[], int]) -> Services:
    """Return what an application works with; nothing is opened yet but the authority's keys."""
    return Services(
        settings=settings,
        db=Database(settings.database_url),
        authority=open_authority(settings.data_dir / "ca"),
        clock=clock,
    )


def create_app(settings: Settings, *, clock: Callable[[], int] = read_clock_ms) -> Litestar:
    """Return the application. The database is opened, and parts started, when it starts up."""
    services = make_services(settings, clock)
    app = _Application(
        route_handlers=[*HANDLERS, *metrics_endpoint.HANDLERS, reports_endpoint],
        lifespan=[_lifespan],
        dependencies={"moment": Provide(provide_moment), "asked": Provide(provide_query)},
        state=State({"services": services}),
        guards=[authorise],
        exception_handlers={Exception: handle},
        before_send=[_add_headers],
        middleware=[_measure, _tell_origin, _hurry],
        compression_config=CompressionConfig(
            backend="gzip", minimum_size=1000, gzip_compress_level=5
        ),
        request_max_body_size=LARGEST_BODY_BYTES,
        openapi_config=_openapi_config(),
        logging_config=None,
        debug=False,
    )
    walk_access(app.routes)  # a route without a role is found here, not by a stranger
    return app


def _openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="kiemke",
        version=__version__,
        use_handler_docstrings=True,
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
        ),
        security=[{"token": []}],
        openapi_router=_NoPages(path="/api/v1/openapi", route_handlers=[]),
    )


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    """Open the database and start the parts; on the way out stop them in reverse, draining."""
    services: Services = app.state.services
    settings = services.settings
    await services.db.open()
    try:
        services.installation = await ensure_installation(services.db, settings.utc_offset_seconds)
        writer = Writer(
            services.db,
            services.installation.utc_offset_seconds,
            poll_seconds=settings.poll_seconds,
            group_milliseconds=settings.group_milliseconds,
            queue_batches=settings.queue_batches,
        )
        services.writer = writer
        metrics = ProcessMetrics(lambda: writer.counts)
        app.state.process_metrics = metrics
        app.state.fleet = Fleet(services.db, settings.poll_seconds, services.clock)
        leader = Leader(
            services.db,
            jobs(services.db, settings.poll_seconds, open_key(settings.data_dir / "audit"))
            if settings.jobs
            else (),
            observe=metrics.observe_job,
            clock=services.clock,
        )
        await writer.start()
        if settings.jobs:
            await leader.start()
        try:
            yield
        finally:
            await leader.stop()
            await writer.stop()
    finally:
        await services.db.close()


def _measure(app: ASGIApp) -> ASGIApp:
    """Tell this process's metrics how long each answer took to begin."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.perf_counter()

        async def watch(message: Message) -> None:
            metrics = scope["litestar_app"].state.get("process_metrics")
            if message["type"] == "http.response.start" and isinstance(metrics, ProcessMetrics):
                seconds = time.perf_counter() - begin
                metrics.observe_request(str(scope.get("method", "")), message["status"], seconds)
            await send(message)

        await app(scope, receive, watch)

    return measured


def _tell_origin(app: ASGIApp) -> ASGIApp:
    """Let the audit log know from where a request came and what its program calls itself."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        agents = [value for name, value in scope.get("headers", ()) if name == b"user-agent"]
        agent = clean_text(agents[0].decode("latin-1"), LONGEST_USER_AGENT) if agents else None
        token = ORIGIN.set(Origin(client[0] if client else None, agent or None))
        try:
            await app(scope, receive, send)
        finally:
            ORIGIN.reset(token)

    return told


def _hurry(app: ASGIApp) -> ASGIApp:
    """Refuse a body that does not arrive in BODY_SECONDS; waiting for a disconnect has no end."""

    async def hurried(scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        until: float | None = loop.time() + BODY_SECONDS

        async def watch() -> Any:
            nonlocal until
            if until is None:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError as error:
                close = {"Connection": "close"}
                raise Problem("too_slow", seconds=int(BODY_SECONDS), headers=close) from error
            if message["type"] != "http.request" or not message.get("more_body"):
                until = None
            return message

        await app(scope, watch if scope["type"] == ScopeType.HTTP else receive, send)

    return hurried


def _answer_problems(app: ASGIApp) -> ASGIApp:
    """Answer what the reports' handler raises as every other route's is answered."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            started = True
            await _add_headers(message, scope)
            await send(message)

        try:
            await app(scope, receive, dressed)
        except Exception as error:
            if started:
                raise
            request: Request[Any, Any, Any] = Request(scope, receive, dressed)
            answer = handle(request, error).to_asgi_response(None, request)
            await answer(scope, receive, dressed)

    return answered


async def _add_headers(message: Message, scope: Scope) -> None:
    if message["type"] != "http.response.start":
        return
    headers = list(message.get("headers", []))
    present = {name.lower() for name, _ in headers}
    headers.extend((name, value) for name, value in SECURITY_HEADERS.items() if name not in present)
    services: Services = scope["app"].state.services
    if services.installation is not None and services.installation.demo:
        headers.append((b"x-kiemke-demo", b"1"))
    message["headers"] = headers


_reports = _measure(_answer_problems(_hurry(take_reports)))
