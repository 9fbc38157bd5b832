"""Both times on every listing and report: a route or a command without them is named here, with why."""

from pathlib import Path

import click

from kiemke.cli.root import ROOT
from tests.support.api import running_api
from tests.support.database import fresh_url

# What has no past: who is asked, what the program is, an empty form, a task of this minute.
UNDATED_ROUTES = {
    "/api/v1/assignment": "what a collector is to do now",
    "/api/v1/collector-secrets": "what a collector is to do it with now",
    "/api/v1/agent-update": "what an agent may install now",
    "/api/v1/agent-update/{release}/{number}": "a part of a program",
    "/api/v1/exports": "the names of the reports",
    "/api/v1/audit/anchor": "the head signed last, of the whole log",
    "/api/v1/me": "who asks",
    "/api/v1/templates/{name}": "an empty form",
    "/ca.pem": "the root in use",
    "/healthz": "is it alive",
}
READING_VERBS = {"list", "show", "history", "who", "diff", "fit", "why", "unmatched"}
# Their routes take both times, for the units they name; what they tell is of now.
OF_NOW = {
    ("source", "list"): "who reports now, and may",
    ("source", "show"): "who reports now, and may",
    ("update", "show"): "which version runs now",
    ("user", "list"): "who may sign in now",
    ("token", "list"): "which tokens are valid now",
    ("approve", "list"): "what waits now, by its state",
    ("machine", "why"): "by which evidence a machine is one now",
    ("import-map", "list"): "which columns are agreed upon now",
}


async def test_every_route_that_reads_takes_both_times(tmp_path: Path) -> None:
    async with fresh_url("sqlite", tmp_path, None) as url, running_api(url, tmp_path) as api:
        async with api.client() as client:
            document = (await client.get("/api/v1/openapi.json")).json()
    without = {
        path
        for path, methods in document["paths"].items()
        if "get" in methods
        and not {"as_of", "known_at"}
        <= {parameter["name"] for parameter in methods["get"].get("parameters", [])}
    }

    assert without == set(UNDATED_ROUTES)


def _verbs(command: click.Command, path: tuple[str, ...]) -> dict[tuple[str, ...], click.Command]:
    if not isinstance(command, click.Group):
        return {path: command}
    found: dict[tuple[str, ...], click.Command] = {}
    context = click.Context(command)
    for name in command.list_commands(context):
        verb = command.get_command(context, name)
        assert verb is not None
        found |= _verbs(verb, (*path, name))
    return found


def test_every_command_that_reads_takes_both_times() -> None:
    """--as-of with its alias --ngay, and --known-at."""
    without = set()
    for path, command in _verbs(ROOT, ()).items():
        options = {flag for parameter in command.params for flag in parameter.opts}
        reads = path[-1] in READING_VERBS or path in (("export",), ("norm",), ("wear",))
        if reads and not {"--as-of", "--ngay", "--known-at"} <= options:
            without.add(path)

    assert without == set(OF_NOW)
