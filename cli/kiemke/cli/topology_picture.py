"""A topology as Graphviz text, and as a picture by Graphviz' own program."""

import shutil
import subprocess
from collections.abc import Sequence

from kiemke.cli.errors import KiemkeError
from kiemke.cli.figures import bits_per_second
from kiemke.cli.i18n import _
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.text import visible
from kiemke.cli.words import word

PROGRAM = "dot"
PATIENCE_SECONDS = 120
SHAPES = {
    "switch": "box", "router": "ellipse", "firewall": "octagon", "access_point": "trapezium",
    "server": "box3d", "nas": "cylinder", "printer": "note", "copier": "note",
}  # fmt: skip
UNLISTED, AMISS = "gray50", "red3"


def dot_of(topology: object, title: str) -> str:
    """Return a topology in Graphviz' language: devices, what they tell of, cables with their ports.

    Things that are no device of the list are dashed; cables with trouble are red and say why.
    """
    lines = [
        "graph kiemke {",
        f"  label={_quoted(title)}; labelloc=t; fontname=sans; overlap=false; splines=true;",
        "  node [fontname=sans, fontsize=11]; edge [fontname=sans, fontsize=9];",
    ]
    names: dict[str, str] = {}
    cables = records_of(dig(topology, "cables"))
    for device in records_of(dig(topology, "devices")):
        code = text_at(device, "code") or ""
        shape = SHAPES.get(text_at(device, "kind") or "", "box")
        told = (text_at(device, "name"), code, text_at(device, "address"))
        label = "\n".join(dict.fromkeys(part for part in told if part))
        lines.append(f"  {_node(names, f'device:{code}')} [shape={shape}, label={_quoted(label)}];")
    for cable in cables:
        far = dig(cable, "far")
        key = _key(far)
        if key not in names:
            label = far_name(far)
            lines.append(
                f"  {_node(names, key)} [shape=box, style=dashed, color={UNLISTED},"
                f" label={_quoted(label)}];"
            )
        lines.append(_edge(names, cable))
    return "\n".join([*lines, "}", ""])


def _edge(names: dict[str, str], cable: Record) -> str:
    near, far = dig(cable, "near"), dig(cable, "far")
    speed = number_at(near, "speed_bits_per_second") or number_at(far, "speed_bits_per_second")
    troubles = [word("finding", each) for each in _texts(dig(cable, "troubles"))]
    label = "\n".join(
        part for part in (bits_per_second(speed) if speed else None, *troubles) if part
    )
    facts = {
        "taillabel": text_at(near, "port"),
        "headlabel": text_at(far, "port"),
        "label": label,
        "color": AMISS if troubles else None,
        "penwidth": "2" if troubles else None,
    }
    told = ", ".join(f"{name}={_quoted(value)}" for name, value in facts.items() if value)
    return f"  {_node(names, _key(near))} -- {_node(names, _key(far))} [{told}];"


def far_name(far: object) -> str:
    """Return what the far end of a cable is called: our code, else what it says of itself."""
    told = (text_at(far, "device"), text_at(far, "name"))
    addresses = _texts(dig(far, "addresses"))
    return next((each for each in told if each), None) or ", ".join(addresses) or _("unknown")


def _texts(found: object) -> Sequence[str]:
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _key(end: object) -> str:
    device = text_at(end, "device")
    return f"seen:{far_name(end)}" if device is None else f"device:{device}"


def _node(names: dict[str, str], key: str) -> str:
    return names.setdefault(key, f"n{len(names) + 1}")


def _quoted(text: str) -> str:
    """Return text as a quoted string: its backslashes mean nothing, its lines are lines."""
    lines = [visible(line) for line in text.split("\n")]
    inert = [line.replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(inert) + '"'


def svg_of(text: str) -> bytes:
    """Return Graphviz text drawn as SVG. Raises KiemkeError: no Graphviz here, or it failed."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise KiemkeError(
            _("Graphviz is not installed on this machine"),
            remedy=_(
                "install it (Debian: apt install graphviz), or write the text with --dot FILE"
            ),
        )
    try:
        done = subprocess.run(  # noqa: S603  # found on the path, with nothing of ours in its words
            [program, "-Tsvg"], input=text.encode(), capture_output=True, timeout=PATIENCE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise KiemkeError(
            _("Graphviz could not draw it: {reason}").format(reason=type(err).__name__),
            where=program,
            remedy=_("draw fewer units at once with --unit, or write the text with --dot FILE"),
        ) from err
    if done.returncode != 0:
        raise KiemkeError(
            _("Graphviz could not draw it: {reason}").format(
                reason=visible(done.stderr.decode("utf-8", "replace"))[:200]
            ),
            where=program,
            remedy=_("write the text with --dot FILE and look at it"),
        )
    return done.stdout
