"""Serving: uvicorn with this server's own TLS, a leaf that renews itself, a drain on SIGTERM."""

import asyncio
import gc
import logging
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import uvicorn

from kiemke.server.app import create_app
from kiemke.server.ca import read_authority, renew_leaf, server_context
from kiemke.server.context import Services
from kiemke.server.errors import CaError
from kiemke.server.migrate import prepare_database
from kiemke.server.settings import Settings

log = logging.getLogger(__name__)

# Senders post every 300 s: a shorter keep-alive would cost each of them a handshake a post.
KEEP_ALIVE_SECONDS = 330
DRAIN_SECONDS = 20
AUTHORITY_CHECK_SECONDS = 15.0


class _Server(uvicorn.Server):
    """uvicorn's server, which here ends with exit status 0 when asked to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM or SIGINT; unlike uvicorn's own, do not raise the signal again after."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say where in one line that a program can read."""
        await super().startup(sockets)
        for listener in getattr(self, "servers", []):
            for opened in listener.sockets:
                address = opened.getsockname()
                log.info("listening", extra={"host": address[0], "port": address[1]})


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises ServerError when it cannot begin."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(prepare_database(settings.database_url))
    app = create_app(settings)
    gc.freeze()  # looking through it all again would take a tenth of a second each time
    gc.enable()
    services: Services = app.state.services
    authority = services.authority
    config = uvicorn.Config(
        app,
        host=settings.listen_host,
        port=settings.listen_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        lifespan="on",
        http="auto",
        loop="auto",
        ws="none",
    )
    if settings.tls:
        renew_leaf(authority, settings.certificate_names, datetime.now(UTC))
        config.load()
        config.ssl = server_context(authority)
    server = _Server(config)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(server, settings, services, config.ssl))
    if not server.started:
        raise SystemExit(1)


async def _serve(
    server: _Server, settings: Settings, services: Services, context: ssl.SSLContext | None
) -> None:
    keeper = asyncio.create_task(_keep_authority(settings, services, context))
    try:
        await server.serve()
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper


async def _keep_authority(
    settings: Settings, services: Services, context: ssl.SSLContext | None
) -> None:
    """Renew the leaf in time and heed `kiemke-server ca`, without a restart.

    Connections made after that get the new certificate; those that stand are not cut.
    """
    told = ""
    while True:
        await asyncio.sleep(AUTHORITY_CHECK_SECONDS)
        try:
            authority = read_authority(services.authority.folder)
            if context is not None and renew_leaf(
                authority, settings.certificate_names, datetime.now(UTC)
            ):
                context.load_cert_chain(authority.leaf_file, authority.leaf_key_file)
                log.info("certificate renewed", extra={"file": str(authority.leaf_file)})
        except (CaError, OSError) as error:  # what is loaded serves on
            if str(error) != told:
                told = str(error)
                log.error("authority not read", extra={"reason": told})
            continue
        if authority != services.authority:
            services.authority = authority
            log.info("authority read anew", extra={"root_sha256": authority.root_sha256})
        told = ""
