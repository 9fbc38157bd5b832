"""A whole fictional district on this machine, with one real PC in it: this one (`make demo`).

Starts a server on an embedded database, imports the district's papers, enrols a real agent and a
real collector, plays the rest over the real wire, and compares what the system says with what is true.
"""

import argparse
import asyncio
import contextlib
import fcntl
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench import show, this_machine
from bench.children import ChildError, Children, program
from bench.https import HttpError
from bench.play import LIVE_EVERY_SECONDS, REFORM_FILE, SCRAPE_TOKEN_FILE, Found, Play
from bench.server import ADMIN, ApiError
from bench.source import SenderError
from bench.strangers import count_strangers

ROOT = Path(__file__).resolve().parents[1]
MADE = ("server", "papers", "agent", "collector", "snmpd", "logs", "cli")
FAILURES = (ChildError, ApiError, HttpError, SenderError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when every figure is the true one, 1 when one is not or something failed."""
    options = _parse(arguments)
    console = Console(highlight=False)
    folder: Path = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _only_one(folder) as is_alone:
        if not is_alone:
            console.print("Another demo runs in this folder; end it first (Ctrl-C there).")
            return 1
        for name in MADE:
            shutil.rmtree(folder / name, ignore_errors=True)
        children = Children(folder / "logs")
        try:
            return asyncio.run(_perform(options, folder, console, children))
        except KeyboardInterrupt:
            console.print("\nEnded.")
            return 0
        except FAILURES as error:
            console.print(f"The demo failed: {error}", markup=False)
        except ExceptionGroup as errors:
            matched, rest = errors.split(FAILURES)
            if rest is not None or matched is None:
                raise
            console.print(f"The demo failed: {matched.exceptions[0]}", markup=False)
        finally:
            children.end()
    return 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.demo", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--once", action="store_true", help="end after the first full cycle")
    parser.add_argument(
        "--communes", type=int, default=21, choices=range(3, 22), metavar="3-21",
        help="how many communes (default 21)",
    )  # fmt: skip
    parser.add_argument(
        "--no-snmpd", action="store_true",
        help="poll kiemke's own responder even where snmpd is installed",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there too")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".demo", metavar="DIR",
        help="where everything lies; begun anew each time (default .demo)",
    )  # fmt: skip
    return parser.parse_args(arguments)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock while the demo runs; False when another one has it."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


async def _perform(
    options: argparse.Namespace, folder: Path, console: Console, children: Children
) -> int:
    columns = (TextColumn("{task.description:<14}"), BarColumn(), TextColumn("{task.completed}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        async def act(play: Play) -> int:
            found = await play.settle()
            progress.stop()
            summary = _summarise(play, found)
            if options.json is not None:
                options.json.write_text(json.dumps(summary, ensure_ascii=False, indent=1))
            exported = await play.export()
            _tell_all(console, play, found, summary)
            show.show_reform(console, await play.rehearse_reform(), _reform_command(play))
            show.show_places(console, _places(play, exported))
            show.show_verdict(console, summary, found.differences)
            if options.once:
                return 1 if found.differences else 0
            await _live(console, play)
            return 0

        play = Play(folder, options.communes, children, tell, use_snmpd=not options.no_snmpd)
        return await play.run(act)


def _summarise(play: Play, found: Found) -> dict[str, Any]:
    """Return every figure and how long it took, as plain data."""
    tally = play.fleet.tally
    return {
        "mark": show.MARK,
        "coverage": {
            line.code: {"target_percent": line.target_percent, "seen": line.seen, "true": line.true}
            for line in found.coverage
        },
        "links": {
            one.line.code: {
                "fault": one.line.fault,
                "true_verdict": one.line.true_verdict,
                "verdict": None if one.seen is None else one.seen["verdict"],
                "problems": list(one.problems),
            }
            for one in found.links
        },
        "desks": {
            "desks": found.desks.desks,
            "complete": found.desks.complete,
            "lacking": dict(found.desks.lacking),
        },
        "stock_takes": {
            take.plan.unit: {
                "number": take.number,
                "state": take.seen["state"],
                "lines": take.seen["lines"],
                "true_lines": dict(take.plan.true_lines),
                "next": list(take.next_commands),
            }
            for take in found.takes
        },
        "strangers": count_strangers(play.district),
        "machine": None if found.machine is None else found.machine["hostname"],
        "differences": found.differences,
        "reports": tally.reports,
        "batches": tally.batches,
        "times_told_to_wait": tally.waits,
        "played_seconds": round(play.played_seconds, 1),
        "all_seconds": round(time.monotonic() - play.began, 1),
    }


def _tell_all(console: Console, play: Play, found: Found, summary: dict[str, Any]) -> None:
    show.show_coverage(console, found.coverage)
    show.show_links(console, found.links)
    show.show_machine(
        console, found.machine, found.own_link, play.snmp_agent, may_ping=this_machine.may_ping()
    )
    show.show_desks(console, found.desks)
    show.show_stock_takes(console, found.takes)
    show.show_strangers(console, summary["strangers"], found.strangers)


def _places(play: Play, exported: Path) -> dict[str, str]:
    """Return where to look, and the words that sign the CLI in."""
    url = str(play.server.address)
    settings = f"KIEMKE_CONFIG_DIR={play.folder / 'cli'}"
    return {
        "API": f"{url}/api/v1/",
        "số đo · metrics": f'curl -k -H "Authorization: Bearer $(cat {play.folder / SCRAPE_TOKEN_FILE})" '
        f"{url}/metrics/fleet",
        "bảng tài sản · equipment": str(exported),
        "dữ liệu · data": str(play.folder),
        "tài khoản · user": f"{ADMIN}, mật khẩu (password) {play.server.password}",
        "đăng nhập · sign in": f"echo {play.server.password} | {settings} {program('kiemke')} login {url} "
        f"{ADMIN} --fingerprint {play.server.fingerprint}",
        "rồi · then": f"{settings} {program('kiemke')} coverage",
    }


def _reform_command(play: Play) -> str:
    """Return the words that show the reform and, with --apply, do it."""
    settings = f"KIEMKE_CONFIG_DIR={play.folder / 'cli'}"
    file = play.folder / "papers" / REFORM_FILE
    return f"{settings} {program('kiemke')} unit reorganise {file}"


async def _live(console: Console, play: Play) -> None:
    """Keep the district alive until Ctrl-C."""
    console.print("Huyện mẫu tiếp tục sống; Ctrl-C để dừng · it lives on, Ctrl-C ends it.")
    while True:
        await asyncio.sleep(LIVE_EVERY_SECONDS)
        play.children.check()
        await play.fleet.live_once()


if __name__ == "__main__":
    sys.exit(main())
