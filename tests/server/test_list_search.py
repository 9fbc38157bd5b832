"""Lists that are searched, page by page: what the rule says of every row, and each row once."""

import random
from pathlib import Path

import httpx

from bench.names import draw_name
from kiemke.server.domain.text import person_sort_key, search_key
from tests.support.api import running_api
from tests.support.office import Office

PEOPLE = 150
ASKED = (
    "an", "nguyen", "guyen", "an nguyen", "nguyen an", "van nguyen an", "tran thi", "an  tran", " an ",
    "thi ng", "hi nguyen", "0912 ng", "p1 nguyen", "p12", "USER7 an", "zz nguyen", "nguyen zz", "2 p%",
    "an an", "le thi h", "a b c d e f g h i j k l m n o p q r",
)  # fmt: skip


def make_office() -> tuple[Office, list[dict[str, str]]]:
    """Return an office of people with drawn names, and what each can be found by."""
    chance, office = random.Random(4), Office()
    unit = office.add_unit()
    for number in range(1, PEOPLE + 1):
        office.add_official(unit, account=f"User{number}" if number % 3 else None)
    for number, row in enumerate(office.waiting["official"], 1):
        name = draw_name(chance)
        phone = f"0912{number:06d}" if number % 2 else None
        row.update(
            name=name, search_key=search_key(name), sort_key=person_sort_key(name), phone=phone
        )
    return office, office.waiting["official"]


def is_found(q: str, person: dict[str, str]) -> bool:
    """Return whether all that is asked stands in one field, or each of its words begins one of any."""
    fields = [person[name] or "" for name in ("search_key", "code", "phone", "account")]
    texts, asked = [text.lower() for text in fields], search_key(q)
    begins = [any(f" {word}" in f" {text}" for text in texts) for word in asked.split()[:16]]
    return any(asked in text for text in texts) or (" " in asked and all(begins))


async def walk(client: httpx.AsyncClient, q: str, limit: int) -> tuple[list[str], set[int]]:
    """Return the codes of all pages in order, and the totals they told."""
    codes: list[str] = []
    totals: set[int] = set()
    after: str | None = None
    while True:
        asked: dict[str, str | int] = {
            "q": q,
            "limit": limit,
            **({"after": after} if after else {}),
        }
        page = (await client.get("/api/v1/officials", params=asked)).raise_for_status().json()
        codes += [row["code"] for row in page["items"]]
        totals.add(page["total"])
        after = page["next"]
        if after is None:
            return codes, totals


async def test_a_searched_list_holds_what_the_rule_finds_each_once_and_in_order(
    database_url: str, tmp_path: Path
) -> None:
    office, people = make_office()
    in_order = sorted(people, key=lambda person: (person["sort_key"], person["id"]))
    found = {}
    async with running_api(database_url, tmp_path) as api:
        await api.write(office)
        async with await api.signed_in("auditor") as client:
            for q in ASKED:
                found[q] = await walk(client, q, 40)
            first: dict[str, str | int] = {"q": "nguyen", "limit": 40}
            page = (await client.get("/api/v1/officials", params=first)).json()
            none = {**first, "q": "zz nguyen", "after": page["next"]}
            beyond = (await client.get("/api/v1/officials", params=none)).json()

    for q, (codes, totals) in found.items():
        wanted = [person["code"] for person in in_order if is_found(q, person)]
        assert (q, codes, totals) == (q, wanted, {len(wanted)})
    assert len(found["nguyen"][0]) > 40 > len(found["an nguyen"][0]) > 0
    assert (beyond["items"], beyond["total"], beyond["next"]) == ([], 0, None)
