"""The running agent does without ``inspect``, and whoever wants it still gets it."""

import subprocess
import sys
from pathlib import Path

import kiemke.agent.spare

SCRIPT = """
import sys
from kiemke.agent.spare import load_dataclasses
load_dataclasses()
assert "inspect" not in sys.modules and "ast" not in sys.modules, "loaded all the same"
import dataclasses
@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    "With words."
    n: int = 3
print(dataclasses.replace(Told(), n=4))
@dataclasses.dataclass
class Silent:
    n: int = 3
print(Silent.__doc__)
import inspect
print(inspect.isfunction(load_dataclasses), inspect.__spec__ is not None)
"""


def test_dataclasses_work_without_it_and_it_comes_when_it_is_asked_for() -> None:
    root = str(Path(kiemke.agent.spare.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {root!r})\n{SCRIPT}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["Told(n=4)", "Silent(n: int = 3)", "True True"]
