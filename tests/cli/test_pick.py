"""The one thing a person means: what no list finds by its name the search finds by its numbers."""

from tests.cli.conftest import Run
from tests.support.rest_server import Answer, Asked, RestServer

PRINTER = {"code": "TS-7", "tag": "HC/0456", "name": "Máy in", "kind": "printer"}
MISSING = Answer({"title": "no such asset", "detail": "no such asset"}, 404)


def serve(rest: RestServer, refs: tuple[str, ...]) -> None:
    def one(request: Asked) -> Answer:
        ref = request.path.rsplit("/", 1)[1]
        return Answer({**PRINTER, "code": ref}) if ref in refs else MISSING

    for ref in (*refs, "0456"):
        rest.answers["GET", f"/api/v1/assets/{ref}"] = one
    rest.on("GET", "/assets", {"items": [], "total": 0, "next": None})
    hits = [{"kind": "asset", "ref": ref, "name": "Máy in", "matched": []} for ref in refs]
    rest.on("GET", "/search", {"items": hits, "counts": [], "behind": False})


def test_what_the_list_does_not_find_the_search_finds(signed_in: RestServer, run: Run) -> None:
    serve(signed_in, ("TS-7",))

    ran = run("asset", "show", "0456")

    assert ran.code == 0, ran.err
    assert "TS-7" in ran.out
    asked = next(each for each in signed_in.asked if each.path.endswith("/search"))
    assert (asked.query["q"], asked.query["kind"]) == ("0456", "asset")


def test_several_are_named_and_none_is_the_servers_refusal(signed_in: RestServer, run: Run) -> None:
    serve(signed_in, ("TS-7", "TS-8"))
    several = run("asset", "show", "0456")
    serve(signed_in, ())
    none = run("asset", "show", "0456")

    assert several.code != 0
    assert "TS-7" in several.err and "TS-8" in several.err
    assert none.code != 0
