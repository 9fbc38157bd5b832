"""Words of the office are taken for the server's codes, as people type them."""

import json

import pytest

from tests.cli.conftest import Run
from tests.support.rest_server import RestServer

MAKE = ("unit", "create", "TL", "--name", "Tiên Lãng", "--day", "01/07/2025", "--paper", "5/QĐ")
NOTHING = {"created": [], "ended": [], "changed": [], "moved": [], "stock_takes": [], "uncounted": [],
           "targets_ended": 0, "applied": False}  # fmt: skip


@pytest.mark.parametrize(
    "typed", ["thi_tran", "thị trấn", "thị trấn ", "THI TRAN", "township", "thi-tran"]
)
def test_a_code_is_typed_as_its_word_in_either_language(
    signed_in: RestServer, run: Run, typed: str
) -> None:
    signed_in.on("POST", "/reorganisations", NOTHING)

    ran = run(*MAKE, "--type", typed)

    assert ran.code == 0, ran.err
    assert json.loads(signed_in.asked[0].body)["new"][0]["type"] == "thi_tran"


def test_a_word_that_is_none_is_answered_with_all_of_them(signed_in: RestServer, run: Run) -> None:
    ran = run(*MAKE, "--type", "thị")
    english = run(*MAKE, "--type", "thị", "--lang", "en")

    assert (ran.code, english.code, signed_in.asked) == (2, 2, [])
    assert "“thị” không thuộc: tinh (tỉnh)," in ran.err
    assert "thi_tran (township)" in english.err
