"""The token that an installer leaves: used once the server answers, gone afterwards."""

from pathlib import Path

import pytest

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.kept_token import (
    KEPT_FILE,
    enrol_by_kept_token,
    keep_token,
    read_token_file,
)
from kiemke.collectors.state import Enrolment, save_enrolment
from kiemke.wire.enrolment import make_token
from kiemke.wire.secret import Secret
from tests.support.peers import free_port


def test_an_office_whose_line_is_down_waits_longer_each_time_and_keeps_the_token(
    tmp_path: Path,
) -> None:
    waited: list[float] = []
    token = make_token((f"https://127.0.0.1:{free_port()}",), "name", "secret", "ab" * 32)
    keep_token(tmp_path, token)

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) == 3

    enrol_by_kept_token(tmp_path, wait)

    assert waited == [5.0, 10.0, 20.0]
    assert (tmp_path / KEPT_FILE).exists()


def test_who_is_enrolled_already_stays_who_it_is(tmp_path: Path) -> None:
    save_enrolment(tmp_path, Enrolment("i", Secret("s"), "c1", "approved"))
    (tmp_path / KEPT_FILE).write_text("no token at all")

    enrol_by_kept_token(tmp_path, lambda seconds: pytest.fail("nothing to wait for"))

    assert not (tmp_path / KEPT_FILE).exists()


def test_a_cut_token_is_told_at_the_machine_and_none_is_kept(tmp_path: Path) -> None:
    keep_token(tmp_path, " ")
    with pytest.raises(ConfigError):
        keep_token(tmp_path, "https://127.0.0.1.half")
    with pytest.raises(ConfigError, match="not readable"):
        read_token_file(str(tmp_path / "nowhere"))

    assert not (tmp_path / KEPT_FILE).exists()
