"""`kiemke-agent decode` as a program, and its score on the large recordings beside the repository."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import firmware

ROOT = Path(__file__).resolve().parents[2]
AGENT = (sys.executable, "-m", "kiemke.agent.main")


def test_each_file_gives_one_line_and_a_bad_one_only_a_complaint(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.edid", tmp_path / "bad.edid"
    good.write_bytes(firmware.edid())
    bad.write_bytes(b"nothing of the kind")
    done = subprocess.run(
        [*AGENT, "decode", "edid", str(bad), str(good), str(tmp_path / "absent")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    (line,) = done.stdout.splitlines()
    assert done.returncode == 1
    assert json.loads(line)["file"] == str(good)
    assert json.loads(line)["manufacturer"] == "DEL"
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("option", "corpus", "least"),
    [("--edid", "edid/expected.jsonl", 0.995), ("--smbios", "smbios", 1.0)],
)
def test_the_decoders_agree_with_the_large_recordings(
    shared_corpora: Path, option: str, corpus: str, least: float
) -> None:
    """Real monitors and real firmware against what edid-decode and dmidecode say of them."""
    tool = shared_corpora.parent / "tools" / "hardware_accuracy.py"
    done = subprocess.run(
        [
            sys.executable, str(tool), option, str(shared_corpora / corpus),
            "--command", " ".join((*AGENT, "decode")), "--min", str(least),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "share of expected values given" in done.stdout
