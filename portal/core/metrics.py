"""Figures for Prometheus: requests counted here as they are answered, everything else read when it is asked for.

Each process counts its own requests. With PROMETHEUS_MULTIPROC_DIR set (prometheus-client reads it), they share their
counts in that directory and every answer covers all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

KIND = CONTENT_TYPE_LATEST
_shared = bool(getattr(values.ValueClass, "_multiprocess", False))
_own = CollectorRegistry()
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("portal_requests", "Requests answered.", ["endpoint", "method", "status"], registry=_own)
SECONDS = Histogram(
    "portal_request_seconds", "Time to answer, in seconds.", ["endpoint"], buckets=_BUCKETS, registry=_own
)


def answered(endpoint: str, method: str, status: int, seconds: float) -> None:
    """Count one answer."""
    REQUESTS.labels(endpoint, method, str(status)).inc()
    SECONDS.labels(endpoint).observe(seconds)


def exposition(gauges: Mapping[str, tuple[str, str, Mapping[str, float]]]) -> bytes:
    """Everything in the text format of Prometheus.

    `gauges` maps a name to (help, label, value by label); an empty label is a gauge without labels, read from "".
    """
    registry = CollectorRegistry()
    registry.register(_Now(gauges))
    counted: Iterable[bytes] = [generate_latest(registry)]
    if _shared:
        every_process = CollectorRegistry()
        MultiProcessCollector(every_process)  # type: ignore[no-untyped-call]
        return b"".join([*counted, generate_latest(every_process)])
    return b"".join([*counted, generate_latest(_own)])


class _Now:
    """Gauges that are read at the moment of asking."""

    def __init__(self, gauges: Mapping[str, tuple[str, str, Mapping[str, float]]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for name, (about, label, found) in self._gauges.items():
            family = GaugeMetricFamily(name, about, labels=[label] if label else [])
            for key, value in found.items():
                family.add_metric([key] if label else [], value)
            yield family
