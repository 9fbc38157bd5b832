"""The running agent does without much of the library, and whoever wants it still gets it."""

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


# All that the service loads, with the library's dataclasses or with the stand-in's; told as one line a class.
SERVICE = """
import sys
from kiemke.agent import spare
lean = sys.argv[1] == "lean"
spare.stand_in() if lean else spare.load_dataclasses()
import kiemke.agent.main
import kiemke.agent.commands.run
import dataclasses
if lean:
    print({"inspect", "ipaddress", "locale", "ntpath"} & set(
        name for name, one in sys.modules.items() if not isinstance(one, spare.Later)
    ), file=sys.stderr)
classes = {
    kind for name, module in sorted(sys.modules.items()) if name.startswith("kiemke")
    and name not in ("kiemke.agent.lean", "kiemke.agent.spare") for kind in vars(module).values()
    if isinstance(kind, type) and kind.__module__.startswith("kiemke") and dataclasses.is_dataclass(kind)
}
def said(one):
    return "-" if one is dataclasses.MISSING else getattr(one, "__name__", repr(one))
for kind in sorted(classes, key=lambda one: (one.__module__, one.__name__)):
    told = dataclasses.fields(kind)
    one = kind(*(n for n, _ in enumerate(told)))
    other = kind(**{one.name: n for n, one in enumerate(told)})
    assert one == other and hash(one) == hash(other) and not hasattr(one, "__dict__")
    changed = dataclasses.replace(one, **{told[-1].name: "x"})
    assert changed != one and one != 3
    try:
        setattr(one, told[0].name, 1)
    except dataclasses.FrozenInstanceError:
        pass
    else:
        raise AssertionError(kind)
    for wrong in ((range(len(told) + 1), {}), ((), {"no_such": 1})):
        try:
            kind(*wrong[0], **wrong[1])
        except TypeError:
            continue
        raise AssertionError(kind)
    defaults = [(f.name, said(f.default), said(f.default_factory)) for f in told]
    print(kind.__module__, kind.__qualname__, repr(changed), defaults, kind.__match_args__, kind.__slots__)
"""
GIVES_WAY = """
from kiemke.agent.spare import stand_in
stand_in()
import dataclasses, pathlib, subprocess, typing
print(pathlib.Path("/a b").as_uri(), pathlib.PurePath("a.py").match("*.py"))
print(typing.get_type_hints(print), pathlib.PureWindowsPath("C:/x").drive)
import fnmatch, locale, urllib.parse
print(fnmatch.fnmatch("a", "?"), locale.getencoding().lower(), urllib.parse.urlsplit("x://y/z").path)
@dataclasses.dataclass(slots=True)
class Told:
    n: int
    m: list = dataclasses.field(default_factory=list)
    def __repr__(self):
        return "own"
one = Told(1)
one.n, one.m = 2, [3]
print(one, one == Told(2, [3]), dataclasses.asdict if hasattr(dataclasses, "asdict") else "no asdict")
try:
    @dataclasses.dataclass
    class Open:
        n: int
except TypeError as err:
    print(err)
"""


def _run(script: str, *words: str) -> list[str]:
    root = str(Path(kiemke.agent.spare.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-IS", "-c", f"import sys; sys.path.insert(0, {root!r})\n{script}", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.strip() in ("", "set()")
    return done.stdout.splitlines()


def test_every_class_of_the_service_is_the_same_under_the_stand_in() -> None:
    with_library, with_stand_in = _run(SERVICE, "library"), _run(SERVICE, "lean")

    assert len(with_library) > 60
    assert with_stand_in == with_library


def test_a_stand_in_gives_way_to_what_it_does_not_have() -> None:
    assert _run(GIVES_WAY) == [
        "file:///a%20b True",
        "{} C:",
        "True utf-8 /z",
        "own True no asdict",
        "Open: dataclass(slots=True) without __post_init__ is all there is",
    ]
