"""What the audit log may hold as an act has its word on the command line, and no word is of nothing."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from typing import get_args, get_type_hints

from kiemke.cli.words_acts import ACT_WORDS
from kiemke.server.domain.machine_merge import PlanKind
from kiemke.server.domain.officials import ACTS
from kiemke.server.imports.templates import TEMPLATES
from kiemke.server.models.access import APPROVAL_STATES
from kiemke.server.resources.device_identity import DeviceSaid
from kiemke.server.resources.releases import OfferAct
from tests.support.catalogue import vietnamese
from tests.support.tree import parse, python_files

# What is put into an act when it runs, by what stands before it.
FILLED: dict[str, set[str]] = {
    "agent_release.": {*get_args(OfferAct)},
    "approval.": {*APPROVAL_STATES} - {"waiting"},
    "device.": {*get_args(get_type_hints(DeviceSaid)["said"])},
    "import.": {*TEMPLATES},
    "machine.": {*get_args(PlanKind)},
    "official.": {*ACTS, "create"},
}
ACT = re.compile(r"[a-z_]+(\.[a-z_]+)+")
WRITERS = {"record", "write_entry", "audit"}


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def _acts(said: ast.expr, tree: ast.AST) -> Iterator[str]:
    """Yield the acts an argument may be; a variable is what the file's calls hand over in its shape."""
    match said:
        case ast.Constant():
            yield str(said.value)
        case ast.IfExp():
            yield from (*_acts(said.body, tree), *_acts(said.orelse, tree))
        case ast.JoinedStr(values=[ast.Constant(value=str(before)), *parts]):
            choices = [
                [*_acts(part.value, tree)]
                if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp)
                else FILLED[before]
                for part in parts
            ]
            yield from (before + "".join(chosen) for chosen in product(*choices))
        case ast.Name():
            for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
                for given in call.args:
                    if isinstance(given, ast.Constant | ast.IfExp):
                        yield from (act for act in _acts(given, tree) if ACT.fullmatch(act))


def _written() -> set[str]:
    acts = set()
    for tree in (parse(path) for path in python_files() if path.parts[0] == "server"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and _name(call) in WRITERS:
                for given in call.keywords:
                    if given.arg == "act":
                        acts |= {*_acts(given.value, tree)}
            if isinstance(call, ast.Call) and _name(call) == "record_rows":
                acts |= {*_acts(call.args[2], tree)}
    return acts


def test_every_act_of_the_audit_log_has_its_word_and_no_word_is_of_nothing() -> None:
    written = _written()

    assert sorted(written - ACT_WORDS.keys()) == []
    assert sorted(ACT_WORDS.keys() - written) == []
    assert len(written) > 80


def test_no_two_acts_are_called_alike_in_either_language() -> None:
    told = {message.id: message.string for message in vietnamese()}

    assert len({*ACT_WORDS.values()}) == len(ACT_WORDS)
    assert len({told[text] for text in ACT_WORDS.values()}) == len(ACT_WORDS)
