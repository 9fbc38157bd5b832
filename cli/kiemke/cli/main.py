"""The script `kiemke`. Where its libraries are missing it answers with what installs them."""

import io
import sys
from collections.abc import Sequence

EXTRA = ("click", "rich", "httpx")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 ok, 1 error, 2 usage, 3 not allowed."""
    _speak_utf8()
    try:
        # Imported here because a plain `pip install kiemke` (the agent) does not bring click.
        from kiemke.cli.root import run

        return run(sys.argv[1:] if argv is None else argv)
    except ModuleNotFoundError as err:
        if err.name not in EXTRA:
            raise
        print("kiemke: pip install 'kiemke[cli]'", file=sys.stderr)
        return 1


def _speak_utf8() -> None:
    """Write UTF-8 whatever the console's code page: a name must not end in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
