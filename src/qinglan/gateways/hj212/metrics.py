"""The gateway's numbers for Prometheus, read from the status files of its processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from qinglan.gateways.hj212.counting import BOUNDS

CAUSES: Final = ("journal", "space", "clock", "lake", "damaged")
_COUNTERS: Final = {
    "received": "Packets received.",
    "bytes": "Bytes received.",
    "accepted": "Packets of adopted devices stored.",
    "repeated": "Resends, answered again and not stored again.",
    "quarantined": "Packets of devices that are not adopted, stored.",
    "acknowledged": "Answers sent.",
    "withheld": "Answers not sent because of a failure.",
    "not_kept": "Packets over a limit, counted only.",
    "groups": "Transactions of the packet journal.",
    "connected": "Connections taken in.",
}
_PREFIX: Final = "qinglan_gateway_"


class Collector:
    """Makes metrics of status files at each question.

    Parameters
    ----------
    statuses
        Returns what the processes say; see `serving.statuses`.
    """

    def __init__(self, statuses: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        self._statuses = statuses

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        found = [one for one in self._statuses() if not one.get("stale")]
        receivers = [one for one in found if one.get("process") != "taker"]
        taker = next((one for one in found if one.get("process") == "taker"), None)
        for name, text in _COUNTERS.items():
            family = CounterMetricFamily(_PREFIX + name, text, labels=["process"])
            for one in receivers:
                family.add_metric([str(one["process"])], one["counts"][name])
            yield family
        yield _by_reason(receivers, "refused", "Packets refused at the door, by reason.")
        yield _by_reason(receivers, "cut", "Connections cut or slowed down, by reason.")
        for name, text in (("connections", "Connections now."), ("devices", "Adopted devices connected now.")):
            gauge = GaugeMetricFamily(_PREFIX + name, text, labels=["process"])
            for one in receivers:
                gauge.add_metric([str(one["process"])], one[name])
            yield gauge
        well = GaugeMetricFamily(_PREFIX + "acknowledging", "1 while packets are acknowledged.", labels=["process"])
        ails = GaugeMetricFamily(_PREFIX + "failing", "1 while it stops acknowledging.", labels=["process", "cause"])
        for one in receivers:
            well.add_metric([str(one["process"])], float(one["acknowledging"]))
            for cause in CAUSES:
                ails.add_metric([str(one["process"]), cause], float(cause in one["ailments"]))
        yield well
        yield ails
        for name, text in (
            ("answer_seconds", "From a packet's last byte to its answer."),
            ("commit_seconds", "For one durable transaction of the packet journal."),
        ):
            histogram = HistogramMetricFamily(_PREFIX + name, text, labels=["process"])
            for one in receivers:
                histogram.add_metric([str(one["process"])], *_buckets(one["counts"][name]))
            yield histogram
        if taker is not None:
            yield from _of_taker(taker)


def _of_taker(taker: Mapping[str, Any]) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(_PREFIX + "waiting", "Packets in the journal that were not taken yet.")
    waiting.add_metric([], taker["waiting"])
    yield waiting
    taken = CounterMetricFamily(_PREFIX + "taken", "Packets taken from the journal, by verdict.", labels=["verdict"])
    for verdict, count in taker["counts"].items():
        taken.add_metric([verdict], count)
    yield taken
    left = CounterMetricFamily(_PREFIX + "unconverted", "What the lake could not keep, by kind.", labels=["kind"])
    for kind, count in taker.get("unconverted", {}).items():
        left.add_metric([kind], count)
    yield left


def _by_reason(receivers: Iterable[Mapping[str, Any]], name: str, text: str) -> Metric:
    family = CounterMetricFamily(_PREFIX + name, text, labels=["process", "reason"])
    for one in receivers:
        for reason, count in one["counts"][name].items():
            family.add_metric([str(one["process"]), reason], count)
    return family


def _buckets(found: Mapping[str, Any]) -> tuple[list[tuple[str, float]], float]:
    buckets, total = [], 0
    for bound, count in zip([*map(str, BOUNDS), "+Inf"], found["counts"], strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets, found["sum"]


def exposition(statuses: Callable[[], Iterable[Mapping[str, Any]]]) -> bytes:
    """Return the metrics in Prometheus' text form."""
    registry = CollectorRegistry()
    registry.register(Collector(statuses))
    return generate_latest(registry)


def serve(statuses: Callable[[], Iterable[Mapping[str, Any]]], port: int) -> int:
    """Answer ``/metrics`` on loopback in a thread of its own; return the port."""
    from prometheus_client import start_http_server

    registry = CollectorRegistry()
    registry.register(Collector(statuses))
    server, _ = start_http_server(port, addr="127.0.0.1", registry=registry)
    return int(server.server_port)
