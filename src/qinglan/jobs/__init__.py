"""Work that outlives a request: a job is a row that workers take under a lease."""

from qinglan.jobs.context import Handler, JobContext
from qinglan.jobs.queue import Job, JobState, LogEntry, cancel, enqueue, get, list_jobs, log_of
from qinglan.jobs.worker import Worker, run_now

__all__ = [
    "Handler",
    "Job",
    "JobContext",
    "JobState",
    "LogEntry",
    "Worker",
    "cancel",
    "enqueue",
    "get",
    "list_jobs",
    "log_of",
    "run_now",
]
