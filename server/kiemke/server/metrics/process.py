"""What this one process says of itself at ``/metrics``: jobs, ingest, requests, its own resources."""

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

_JOB_BUCKETS = (0.005, 0.02, 0.1, 0.5, 1.0, 2.5, 10.0, 60.0)
_REQUEST_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.5, 10.0)


class IngestCounts(Protocol):
    """What the writer of reports counts since its start."""

    batches: int
    reports: int
    repeated: int
    rejected: int
    commits: int
    failures: int


_INGEST = (
    ("batches", "Batches of reports taken in."),
    ("reports", "Reports applied, each counted once."),
    ("repeated", "Reports that had been applied before and changed nothing."),
    ("rejected", "Reports set aside because they can never be applied."),
    ("commits", "Transactions that made reports durable."),
    ("failures", "Groups of batches that the database did not take."),
)


class _Ingest(Collector):
    """Reads the writer's own counts at the moment of the scrape."""

    def __init__(self, read: Callable[[], IngestCounts | None]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """Yield one counter per count; nothing while there is no writer."""
        counts = self._read()
        if counts is None:
            return
        for name, sentence in _INGEST:
            value = float(getattr(counts, name))
            yield CounterMetricFamily(f"kiemke_ingest_{name}", sentence, value=value)


class ProcessMetrics:
    """The registry of this process and the doors through which the other parts report."""

    def __init__(self, ingest: Callable[[], IngestCounts | None] = lambda: None) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.registry.register(_Ingest(ingest))
        self._jobs = Histogram(
            "kiemke_job_duration_seconds",
            "How long a run of a job took, by job and outcome.",
            ("job", "outcome"),
            buckets=_JOB_BUCKETS,
            registry=self.registry,
        )
        self._changes = Counter(
            "kiemke_job_changes",
            "Things a job changed.",
            ("job",),
            registry=self.registry,
        )
        self._last = Gauge(
            "kiemke_job_last_success_timestamp_seconds",
            "When a job last ended well in this process, Unix time.",
            ("job",),
            registry=self.registry,
        )
        self._requests = Histogram(
            "kiemke_http_request_duration_seconds",
            "How long a request took, by method and class of status.",
            ("method", "status"),
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )

    def observe_job(self, name: str, outcome: str, seconds: float, changes: int) -> None:
        """Take the end of one run of a job (see ``jobs.leader.Observer``)."""
        self._jobs.labels(name, outcome).observe(seconds)
        self._changes.labels(name).inc(changes)
        if outcome == "ok":
            self._last.labels(name).set_to_current_time()

    def observe_request(self, method: str, status: int, seconds: float) -> None:
        """Take the end of one request; ``method`` is a standard one or "other"."""
        known = method if method in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD") else "other"
        self._requests.labels(known, f"{status // 100}xx").observe(seconds)

    def render(self) -> bytes:
        """Return the text of this process's metrics."""
        return generate_latest(self.registry)
