"""`make packages`: the Debian packages, the Windows installers and the start-up script, into dist/."""

import argparse
import sys
import tempfile
from pathlib import Path

from kiemke.wire import __version__
from packages import debian, debian_collector, windows_msi, windows_tree
from packages.fetch import ROOT, PackageError

START_UP_SCRIPT = ROOT / "packages" / "windows" / "gpo-startup.cmd"


def start_up_script(version: str) -> bytes:
    """Return the start-up script for installers of a version, with Windows' line ends."""
    text = START_UP_SCRIPT.read_text("ascii").replace("@VERSION@", version)
    return text.replace("\n", "\r\n").encode("ascii")


def main() -> int:
    """Make everything; return 0, or 1 with a sentence that says what is missing."""
    top = argparse.ArgumentParser(prog="python -m packages", description=__doc__)
    top.add_argument("--out", type=Path, default=ROOT / "dist", help="folder (default: dist)")
    top.add_argument(
        "--windows-python", type=Path, metavar="ZIP",
        help="the embeddable CPython as its publisher gives it, instead of the index's copy",
    )  # fmt: skip
    top.add_argument("--windows-python-sha256", metavar="HASH", help="what that file must be")
    given = top.parse_args()
    try:
        made = [
            debian.build(given.out / f"kiemke-agent_{__version__}_amd64.deb"),
            debian_collector.build(given.out / f"kiemke-collector_{__version__}_amd64.deb"),
        ]
        with tempfile.TemporaryDirectory() as work:
            tree = windows_tree.build(
                Path(work) / "tree", given.windows_python, given.windows_python_sha256
            )
            made.append(windows_msi.build(tree, given.out / "kiemke-agent.msi"))
            tree = windows_tree.build_collector(
                Path(work) / "collector", given.windows_python, given.windows_python_sha256
            )
            installer = given.out / "kiemke-collector.msi"
            made.append(windows_msi.build(tree, installer, program=windows_tree.COLLECTOR))
        made.append(given.out / START_UP_SCRIPT.name)
        made[-1].write_bytes(start_up_script(__version__))
    except PackageError as err:
        print(f"packages: {err}", file=sys.stderr)
        return 1
    for file in made:
        print(f"{file}  {file.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
