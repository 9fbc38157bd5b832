"""What ``kiemke-collector discover`` may be asked; apart from its work, which needs SNMP libraries."""

import argparse


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("discover", help="look over the registered subnets, now")
    parser.add_argument("--site", type=int, metavar="NUMBER", help="only this site's subnets")
    parser.add_argument(
        "--crawl",
        action="store_true",
        help="sweep nothing: go from device to device by what they tell of their neighbours",
    )
    parser.add_argument(
        "--seed",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="where the crawl begins (default: the assigned devices)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--credential",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="section of credentials.toml for devices that are not assigned (default: leave them)",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show every decision on standard error",
    )
