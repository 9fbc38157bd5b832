"""The one handler that turns every exception of a request into problem+json."""

import json
import logging
import secrets
from typing import Any

from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from kiemke.server.db import UNAVAILABLE, Refused
from kiemke.server.domain.rules import UnknownRule, UnusableRule
from kiemke.server.errors import Both, Problem, choose_language
from kiemke.server.problems_words import in_both

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_DISCONNECTED = "client disconnected prematurely"  # Litestar's own words; it has no class for it


def encode_problem(problem: Problem, language: str) -> bytes:
    """Return the body of an error answer, UTF-8."""
    return json.dumps(problem.tell(language), ensure_ascii=False).encode("utf-8", "replace")


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer any exception in the one shape; what nobody foresaw is logged with a number."""
    problem = as_problem(request, error)
    language = choose_language(
        request.headers.get("accept-language"), request.app.state.services.settings.language
    )
    return Response(
        encode_problem(problem, language),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**problem.headers, "Content-Language": language, "Vary": "Accept-Language"},
    )


def as_problem(request: Request[Any, Any, Any], error: Exception) -> Problem:
    """Return the Problem that says what an exception means to the one who asked."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, MethodNotAllowedException):
        return Problem(
            "wrong_method",
            method=request.method,
            path=request.url.path,
            headers={name: value for name, value in (error.headers or {}).items()},
        )
    if isinstance(error, NotFoundException):
        return Problem("no_route", path=request.url.path)
    if isinstance(error, ValidationException):
        return Problem("bad_request", what=in_both(_say_validation(error)))
    if isinstance(error, HTTPException) and error.status_code == 413:
        limit = request.route_handler.resolve_request_max_body_size()
        return Problem("too_large", limit=limit)
    if isinstance(error, ClientException | HTTPException) and error.status_code < 500:
        return Problem("bad_request", what=in_both(error.detail))
    if isinstance(error, UnknownRule | UnusableRule):
        return Problem("rule", reason=str(error))
    if isinstance(error, RecursionError):
        what = Both("Nội dung lồng quá nhiều tầng.", "The body is nested too deeply.")
        return Problem("bad_request", what=what)
    if isinstance(error, InternalServerException) and error.detail == _DISCONNECTED:
        # Nobody is left to read it; a log of them would be as long as strangers please.
        return Problem("bad_request", what=Both("Kết nối đã ngắt.", "The connection was closed."))
    if isinstance(error, Refused):
        log.warning("database refused", extra={"path": request.url.path, "reason": str(error)})
        what = Both("Cơ sở dữ liệu không nhận giá trị này.", "The database refuses this value.")
        return Problem("unreadable", what=what)
    if isinstance(error, UNAVAILABLE):
        log.error("database unavailable", extra={"path": request.url.path}, exc_info=error)
        return Problem(
            "database", seconds=RETRY_SECONDS, headers={"Retry-After": str(RETRY_SECONDS)}
        )
    incident = secrets.token_hex(4)
    log.error(
        "request failed", extra={"path": request.url.path, "incident": incident}, exc_info=error
    )
    return Problem("internal", incident=incident)


def _say_validation(error: ValidationException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    parts = [
        f"{item.get('key', '?')}: {item.get('message', '?')}"
        for item in extra
        if isinstance(item, dict)
    ]
    return "; ".join(parts) or str(error.detail)
