"""A stock-take by the API: an office to count, opened, answered, its lines by code."""

from typing import Any

import httpx

from tests.support.api import make_office
from tests.support.office import Office

DAY = "2026-03-01"


def make_counted_office() -> Office:
    """A1, A2 and the printer A6 of U2; A3 of U4, A4 of the police network in U4, A5 disposed of."""
    office = make_office()
    office.add_pc(4, office.add_official(4), no_agent_reason="police_network")
    office.add_pc(4, status="disposed")
    printer = office.add_asset("printer", tag="TEM-6", serial="ab-12 C", serial_key="AB12C")
    office.add_custody(printer, 2)
    return office


async def opened(it: httpx.AsyncClient, unit: str = "U2", **more: Any) -> int:
    """Open a stock-take and return its number."""
    body = {"unit": unit, "day": DAY, "instrument": "12/QĐ", "board": [{"name": "Lê Thị Ba"}]}
    answer = await it.post("/api/v1/stock-takes", params={"apply": "true"}, json={**body, **more})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


async def add(it: httpx.AsyncClient, take: int, items: list[dict[str, Any]], **more: Any) -> Any:
    """Record items."""
    body = {"items": items, "counted_by": "Trần Văn Đếm", **more}
    return await it.post(f"/api/v1/stock-takes/{take}/found", params={"apply": "true"}, json=body)


def said(result: str, *numbers: str) -> list[dict[str, Any]]:
    """Return items of one result."""
    return [{"number": number, "result": result} for number in numbers]


async def states(it: httpx.AsyncClient, take: int, **params: Any) -> dict[str, str]:
    """Return the state of each line by its code or number."""
    page = (await it.get(f"/api/v1/stock-takes/{take}/lines", params=params)).json()
    return {line["code"] or line["number"]: line["state"] for line in page["items"]}
