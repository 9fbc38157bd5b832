"""The API page: the OpenAPI document as plain HTML. Every text in it is escaped."""

from collections.abc import Mapping
from html import escape
from typing import Any

_WORDS = {
    "vi": {
        "title": "API của kiemke",
        "intro": "Gửi Authorization: Bearer MÃ (lấy bằng POST /api/v1/login). Lỗi có một dạng chung, "
        "application/problem+json, nói rõ việc cần làm.",
        "other": "English",
        "other_code": "en",
        "document": "Tài liệu OpenAPI (JSON)",
        "parameter": "Tham số",
        "type": "Kiểu",
        "required": "bắt buộc",
        "optional": "tùy chọn",
        "body": "Nội dung gửi",
        "answer": "Trả lời",
        "field": "Trường",
        "schemas": "Các dạng dữ liệu",
    },
    "en": {
        "title": "The API of kiemke",
        "intro": "Send Authorization: Bearer TOKEN (from POST /api/v1/login). Every error has one "
        "shape, application/problem+json, and says what to do.",
        "other": "Tiếng Việt",
        "other_code": "vi",
        "document": "OpenAPI document (JSON)",
        "parameter": "Parameter",
        "type": "Type",
        "required": "required",
        "optional": "optional",
        "body": "Body",
        "answer": "Answer",
        "field": "Field",
        "schemas": "Shapes",
    },
}

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "code,h3{font-family:ui-monospace,monospace}h3{margin-bottom:0}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #999;padding:.2rem .6rem;"
    "text-align:left;vertical-align:top}"
)


def render_page(document: Mapping[str, Any], language: str) -> str:
    """Return the page as HTML in "vi" or "en"."""
    words = _WORDS["en" if language == "en" else "vi"]
    parts = [
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">',
        f"<title>{escape(words['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(words['title'])}</h1><p>{escape(words['intro'])}</p>",
        f'<p><a href="/api/v1/openapi.json">{escape(words["document"])}</a> · ',
        f'<a href="/api/v1/?lang={words["other_code"]}">{escape(words["other"])}</a></p>',
    ]
    paths: Mapping[str, Any] = document.get("paths", {})
    for path in sorted(paths):
        for method, operation in paths[path].items():
            if isinstance(operation, Mapping):
                parts.append(_render_operation(path, method, operation, words))
    parts.append(f"<h2>{escape(words['schemas'])}</h2>")
    schemas: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
    parts.extend(_render_schema(name, schemas[name], words) for name in sorted(schemas))
    parts.append("</body></html>")
    return "".join(parts)


def _render_operation(
    path: str, method: str, operation: Mapping[str, Any], words: Mapping[str, str]
) -> str:
    lines = [f"<h3>{escape(method.upper())} {escape(path)}</h3>"]
    sentence = operation.get("description") or operation.get("summary") or ""
    lines.append(f"<p>{escape(sentence)}</p>")
    parameters = operation.get("parameters") or []
    if parameters:
        lines.append(
            f"<table><tr><th>{words['parameter']}</th><th>{words['type']}</th><th></th></tr>"
        )
        for parameter in parameters:
            need = words["required"] if parameter.get("required") else words["optional"]
            lines.append(
                f"<tr><td><code>{escape(parameter['name'])}</code></td>"
                f"<td>{_render_type(parameter.get('schema', {}))}</td><td>{need}</td></tr>"
            )
        lines.append("</table>")
    body = operation.get("requestBody")
    if body:
        lines.append(f"<p>{words['body']}: {_render_content(body)}</p>")
    for status, answer in (operation.get("responses") or {}).items():
        if str(status).startswith("2"):
            lines.append(
                f"<p>{words['answer']} {escape(str(status))}: {_render_content(answer)}</p>"
            )
    return "".join(lines)


def _render_content(holder: Mapping[str, Any]) -> str:
    shown = [
        f"<code>{escape(media)}</code> {_render_type(content.get('schema', {}))}"
        for media, content in (holder.get("content") or {}).items()
    ]
    return ", ".join(shown) or "–"


def _render_schema(name: str, schema: Mapping[str, Any], words: Mapping[str, str]) -> str:
    rows = [
        f"<tr><td><code>{escape(field)}</code></td><td>{_render_type(kind)}</td></tr>"
        for field, kind in (schema.get("properties") or {}).items()
    ]
    return (
        f'<h3 id="{escape(name)}">{escape(_short(name))}</h3><table><tr><th>{words["field"]}</th>'
        f"<th>{words['type']}</th></tr>{''.join(rows)}</table>"
    )


def _short(name: str) -> str:
    """Return a shape's name without the modules it was written in: Page of Asset."""
    outer, _, inner = name.rstrip("_").partition("_kiemke.")
    return f"{outer} of {inner.rpartition('.')[2]}" if inner else name


def _render_type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#{name}">{_short(name)}</a>'
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return " | ".join(_render_type(each) for each in schema[choice])
    if schema.get("type") == "array":
        return f"[{_render_type(schema.get('items', {}))}]"
    return escape(str(schema.get("type", "")))
