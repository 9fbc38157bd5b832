"""The command line of kiemke-agent. Every command's code is loaded only when it is called."""

import argparse
import sys


def main() -> int:
    p = argparse.ArgumentParser()
    sub = p.add_subparsers(dest="command", required=True)
    d = sub.add_parser("decode")
    d.add_argument("kind", choices=("edid", "smbios"))
    d.add_argument("files", nargs="+")
    a = p.parse_args()
    from kiemke.agent.commands import decode

    return decode.run(a.kind, a.files)


if __name__ == "__main__":
    sys.exit(main())
