"""A real Prometheus for tests: started on loopback with a given configuration, asked in PromQL."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.peers import (
    end_process,
    free_port,
    require_peer,
    run_daemon,
    wait_ready,
    wait_until,
)

_OWN_UNITS = ("_bits_per_second", "_working_days")


def lint_metrics(text: str) -> str:
    """Return what ``promtool check metrics`` finds amiss in a page, "" for nothing.

    Two advices are left out: a line is sold, and its port negotiated, in bits per second; and
    working days are counted by a calendar, they are no number of seconds.
    """
    done = subprocess.run(
        [require_peer("promtool"), "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
    )
    said = (done.stdout + done.stderr).splitlines()
    return "\n".join(
        line for line in said if not any(f"{ending} use base unit" in line for ending in _OWN_UNITS)
    )


@dataclass(slots=True)
class PrometheusPeer:
    """A running Prometheus; ``query`` asks it, ``log`` is what it said."""

    program: str
    folder: Path
    config: dict[str, Any]
    flags: tuple[str, ...] = ()
    base_url: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The file that holds everything it printed."""
        return self.folder / "prometheus.log"

    def start(self) -> None:
        """Write the configuration (JSON is YAML), start and wait until it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "prometheus.yml"
        config.write_text(json.dumps(self.config), "utf-8")
        address = f"127.0.0.1:{free_port()}"
        self.base_url = f"http://{address}"
        self.process = run_daemon(
            [self.program, "--config.file", str(config), "--web.listen-address", address]
            + ["--storage.tsdb.path", str(self.folder / "data"), *self.flags],
            self.log,
        )
        wait_ready(self.process, self.log, f"prometheus on {address}", self.is_ready)

    def is_ready(self) -> bool:
        """Whether /-/ready answers 200."""
        try:
            with urllib.request.urlopen(f"{self.base_url}/-/ready", timeout=2) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def get(self, path: str, **parameters: str) -> Any:
        """Return the ``data`` of an HTTP API answer, e.g. get("targets", state="active")."""
        url = f"{self.base_url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)["data"]

    def query(self, expression: str, at: float | None = None) -> dict[tuple[str, ...], float]:
        """Return an instant query's values keyed by their sorted ``name=value`` labels.

        ``at`` is a Unix time in seconds, None for now. An empty answer is an empty dict.
        """
        moment = {} if at is None else {"time": repr(at)}
        rows = self.get("query", query=expression, **moment)["result"]
        return {
            tuple(sorted(f"{name}={value}" for name, value in row["metric"].items())): float(
                row["value"][1]
            )
            for row in rows
        }

    def value(self, expression: str) -> float | None:
        """Return the one value of an instant query; None when there is no series."""
        values = list(self.query(expression).values())
        assert len(values) < 2, f"{expression} gives {len(values)} series"
        return values[0] if values else None

    def soon(self, expression: str) -> float:
        """Return the one value once there is a series: a scrape that was late leaves it out for one."""
        wait_until(lambda: self.value(expression) is not None, expression)
        found = self.value(expression)
        return self.soon(expression) if found is None else found

    def stop(self) -> None:
        """End the process; harmless when it has ended."""
        if self.process is not None:
            end_process(self.process)
            self.process = None
