"""kiemke-agent inventory --diff: what came, went and changed since the server was told."""

from pathlib import Path

import pytest

from kiemke.agent import inventory as taken
from kiemke.agent import kept
from kiemke.agent.changes import Change, compare
from kiemke.agent.commands import inventory
from kiemke.agent.host import Host
from kiemke.agent.sensors import SENSORS
from kiemke.agent.state import Memory, StateFolder

CHROME, NEWER = {"name": "Chrome", "version": "120"}, {"name": "Chrome", "version": "121"}
UNIKEY = {"name": "UniKey", "version": None}
SENSOR = tuple(one for one in SENSORS if one.module == "identity")


@pytest.mark.parametrize(
    ("before", "now", "changes"),
    [
        ([CHROME, UNIKEY], [UNIKEY, CHROME], []),
        ([CHROME], [CHROME, UNIKEY], [Change(None, {"name": "UniKey"})]),
        ([CHROME, UNIKEY], [CHROME], [Change({"name": "UniKey"}, None)]),
        ([CHROME, UNIKEY], [NEWER, UNIKEY], [Change(CHROME, NEWER)]),
        # Two of one name stay two; one row alone is the same thing whatever it is called.
        ([CHROME, CHROME], [CHROME], [Change(CHROME, None)]),
        ([{"serial": "A"}], [{"serial": "B"}], [Change({"serial": "A"}, {"serial": "B"})]),
        ([{"servers": ("a", "b")}], [{"servers": ["a", "b"]}], []),
    ],
)
def test_rows_are_told_as_come_gone_or_changed(
    before: list[dict[str, object]], now: list[dict[str, object]], changes: list[Change]
) -> None:
    assert compare(before, now) == changes


def test_what_the_service_read_is_what_is_compared_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIEMKE_LANG", "en")
    monkeypatch.setattr(inventory, "read_all", lambda host: _only_identity(host))
    folder = StateFolder(tmp_path)
    install_id = folder.identity_or_new().install_id
    nothing = inventory.run(tmp_path, Path("/"), diff=True)
    first = capsys.readouterr().out

    _, tokens = taken.take(Host(install_id=install_id, folder=tmp_path), {}, sensors=SENSOR)
    folder.save_memory(Memory(acked_tokens=tokens))
    same = inventory.run(tmp_path, Path("/"), diff=True)
    second = capsys.readouterr().out
    folder.save_identity(folder.identity_or_new().__class__("cd" * 16, "s"))
    folder.save_memory(Memory())
    changed = inventory.run(tmp_path, Path("/"), diff=True)
    third = capsys.readouterr().out.splitlines()

    assert (nothing, same, changed) == (1, 0, 0)
    assert "No inventory is kept here" in first
    assert second == "Nothing changed since it was last told.\n"
    assert third[0] == "identity"
    assert "not been received yet" in third[1]
    assert third[2].endswith(f"install_id: {install_id} → {'cd' * 16}")
    assert (tmp_path / kept.FILE).stat().st_mode & 0o077 == 0


def _only_identity(host: Host) -> object:
    from kiemke.agent.sensors.reading import read_all

    return read_all(host, SENSOR)


def test_a_kept_inventory_that_is_broken_is_none(tmp_path: Path) -> None:
    (tmp_path / kept.FILE).write_bytes(b"\x78\x9c broken")

    assert kept.read(tmp_path) == {}
