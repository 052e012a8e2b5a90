"""What the server says about itself: one log line and one measurement a request."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("qinglan.web")

# Asked for every few seconds by a monitor; they would bury the rest of the log.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


class Measures:
    """The numbers behind ``/metrics``, of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "qinglan_http_requests_total",
            "Requests by route, method and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "qinglan_http_request_seconds",
            "Time from the request to the end of its answer.",
            ("method", "route"),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.lake_revision = Gauge("qinglan_lake_revision", "The last revision of the lake.", registry=self.registry)
        self.lake_rows = Gauge("qinglan_lake_rows", "Rows in the lake's history.", registry=self.registry)
        self.backlog = Gauge("qinglan_journal_backlog", "Rows in journals not yet in the lake.", registry=self.registry)
        self.jobs = Gauge("qinglan_jobs", "Jobs by state.", ("state",), registry=self.registry)
        self.worker = Gauge("qinglan_worker_alive", "1 while the jobs worker runs.", registry=self.registry)


class Observed:
    """Log and measure every request."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and note how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            seconds = time.perf_counter() - started
            route = route_template(scope)
            self.measures.requests.labels(scope["method"], route, str(status)).inc()
            self.measures.seconds.labels(scope["method"], route).observe(seconds)
            if scope["path"] not in _QUIET:
                write = log.warning if status >= 500 else log.info
                write(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )


def route_template(scope: Scope) -> str:
    """Return the route's address with its parameters unfilled, so that ids do not become metrics of their own."""
    return str(getattr(scope.get("route"), "path", None) or "(browser)")


def configure_logs(as_json: bool | None = None, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Write structured logs to a stream: JSON lines, or coloured text where a person watches.

    Parameters
    ----------
    as_json
        True for JSON lines, False for text; by default JSON unless the stream is a terminal.
    level
        What is less important than this is left out.
    stream
        Where to write; by default the error stream.
    """
    stream = stream or sys.stderr
    plain = not stream.isatty() if as_json is None else as_json
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
    ]
    last: list[Any] = (
        [
            # A traceback's local variables may be what somebody typed: they stay out of the log.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if plain
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
