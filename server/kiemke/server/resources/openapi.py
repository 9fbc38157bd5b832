"""The OpenAPI document, and its page: plain HTML made here, bilingual, no script, nothing from afar."""

from typing import Any

from litestar import MediaType, Response, get

from kiemke.server.auth import AppRequest
from kiemke.server.errors import choose_language
from kiemke.server.web.api_page import render_page


@get("/api/v1/openapi.json", opt={"role": "public"}, include_in_schema=False)
async def get_document(request: AppRequest) -> dict[str, Any]:
    """Return the OpenAPI document."""
    return request.app.openapi_schema.to_schema()


@get("/api/v1", opt={"role": "public"}, include_in_schema=False, media_type=MediaType.HTML)
async def get_page(request: AppRequest) -> Response[str]:
    """Return the API page in the language the browser asks for."""
    chosen = request.query_params.get("lang")
    language = (
        chosen
        if chosen in ("vi", "en")
        else choose_language(request.headers.get("accept-language"))
    )
    page = render_page(request.app.openapi_schema.to_schema(), language)
    return Response(page, media_type="text/html; charset=utf-8")


HANDLERS = (get_document, get_page)
