"""Handlers end as done, failed, cancelled or given back; nobody runs a job that another holds."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from qinglan.base.engine import transaction
from qinglan.base.schema import jobs as table
from qinglan.core.errors import BusyError, DeclarationError, EditionError, InputError, JobError, QinglanError
from qinglan.jobs import JobContext, Worker, cancel, enqueue, get, lease, log_of, run_now

LONG = timedelta(minutes=10)


def put(engine: Engine, kind: str = "work", max_attempts: int = 3, **arguments: object) -> str:
    return enqueue(engine, kind, arguments, title_zh="干活", title_en="Work", max_attempts=max_attempts)


def expire(engine: Engine, job: str) -> None:
    """Let the lease of a job be over, as if its worker had been silent."""
    with transaction(engine) as connection:
        now = lease.dialect.now(connection)
        ended = update(table).where(table.c.id == job).values(lease_until=now - timedelta(seconds=1))
        connection.execute(ended)


def rest_is_over(engine: Engine, job: str) -> None:
    with transaction(engine) as connection:
        connection.execute(update(table).where(table.c.id == job).values(not_before=None))


def test_a_handler_sees_its_arguments_and_leaves_result_progress_and_log(engine: Engine) -> None:
    def handler(context: JobContext) -> dict[str, object]:
        context.progress(1, 2, "一半", "half")
        context.log("读了一半\0")
        context.progress(2, 2, "读完", "read")
        return {"rows": context.arguments["rows"] * 2}

    job = put(engine, rows=21)
    worker = Worker(engine, {"work": handler})
    assert worker.run_one() is True
    assert worker.run_one() is False
    found = get(engine, job)
    assert (found.state, found.result, found.attempts) == ("done", {"rows": 42}, 1)
    assert (found.done, found.total, found.message_zh, found.message_en) == (2, 2, "读完", "read")
    assert [entry.text for entry in log_of(engine, job)] == ["读了一半␀"]
    assert found.started is not None
    assert found.finished is not None
    assert found.created <= found.started <= found.finished


def test_the_last_progress_is_kept_however_fast_it_came(engine: Engine) -> None:
    def handler(context: JobContext) -> None:
        for row in range(1000):
            context.progress(row, None, f"第 {row} 行", f"row {row}")

    job = put(engine)
    Worker(engine, {"work": handler}).run_one()
    assert (get(engine, job).done, get(engine, job).message_zh) == (999, "第 999 行")


def test_the_oldest_job_of_a_known_kind_comes_first(engine: Engine) -> None:
    begun: list[str] = []
    made = [put(engine), put(engine, kind="unknown"), put(engine)]
    worker = Worker(engine, {"work": lambda context: begun.append(context.id)})
    while worker.run_one():
        pass
    assert begun == [made[0], made[2]]
    assert get(engine, made[1]).state == "waiting"


@pytest.mark.parametrize("refusal", [InputError, EditionError, DeclarationError])
def test_what_trying_again_cannot_mend_fails_at_once(engine: Engine, refusal: type[QinglanError]) -> None:
    def handler(_: JobContext) -> None:
        raise refusal("第 3 行没有时间。", "Row 3 has no time.")

    job = put(engine)
    Worker(engine, {"work": handler}).run_one()
    found = get(engine, job)
    assert (found.state, found.attempts) == ("failed", 1)
    assert (found.error_zh, found.error_en) == ("第 3 行没有时间。", "Row 3 has no time.")
    assert type(found.error) is refusal


@pytest.mark.parametrize("fault", [BusyError("湖正忙。", "The lake is busy."), ValueError("odd")])
def test_other_faults_are_tried_again_as_often_as_allowed(engine: Engine, fault: Exception) -> None:
    def handler(_: JobContext) -> None:
        raise fault

    job = put(engine, max_attempts=3)
    worker = Worker(engine, {"work": handler})
    for attempt in (1, 2):
        assert worker.run_one() is True
        assert (get(engine, job).state, get(engine, job).attempts) == ("waiting", attempt)
        assert get(engine, job).error is None
        rest_is_over(engine, job)
    worker.run_one()
    found = get(engine, job)
    assert (found.state, found.attempts) == ("failed", 3)
    assert worker.run_one() is False
    logged = [entry.text for entry in log_of(engine, job)]
    assert len(logged) == 3
    if isinstance(fault, BusyError):
        assert found.error_zh == "湖正忙。"
    else:
        assert "ValueError: odd" in (found.error_en or "")
        assert all(text.startswith("Traceback") and "raise fault" in text for text in logged)


def test_a_job_that_broke_rests_before_it_is_tried_again(engine: Engine) -> None:
    job = put(engine)
    broken = Worker(engine, {"work": lambda _: {}["missing"]})
    broken.run_one()
    assert get(engine, job).state == "waiting"
    assert broken.run_one() is False


def test_a_result_that_is_no_json_is_a_fault_of_the_program(engine: Engine) -> None:
    job = put(engine, max_attempts=1)
    Worker(engine, {"work": lambda _: {"value": object()}}).run_one()
    assert get(engine, job).state == "failed"
    assert "object" in (get(engine, job).error_en or "")


def test_a_running_job_stops_at_its_next_progress_when_cancelled(engine: Engine) -> None:
    passed: list[str] = []

    def handler(context: JobContext) -> None:
        context.progress(1, 3)
        assert cancel(engine, context.id).state == "running"
        context.progress(3, 3)
        passed.append("went on")

    job = put(engine)
    Worker(engine, {"work": handler}).run_one()
    assert get(engine, job).state == "cancelled"
    assert get(engine, job).finished is not None
    assert passed == []


def test_a_stopped_worker_gives_its_job_back_uncounted(engine: Engine) -> None:
    begun, worker_told = threading.Event(), threading.Event()

    def handler(context: JobContext) -> None:
        begun.set()
        worker_told.wait(30)
        context.progress(1, 2)

    job = put(engine)
    worker = Worker(engine, {"work": handler}, lease=LONG)
    worker.start()
    assert begun.wait(30)
    worker.stop(timedelta())
    worker_told.set()
    worker.stop()
    assert (get(engine, job).state, get(engine, job).attempts) == ("waiting", 0)
    assert run_now(engine, {"work": lambda _: {"by": "another"}}, job).result == {"by": "another"}


def test_an_expired_lease_returns_the_job_and_the_first_worker_changes_nothing(engine: Engine) -> None:
    def second(context: JobContext) -> dict[str, object]:
        return {"by": "second", "attempt": context.attempt}

    def first(context: JobContext) -> dict[str, object]:
        expire(engine, context.id)
        assert Worker(engine, {"work": second}).run_one() is True
        return {"by": "first"}

    job = put(engine)
    Worker(engine, {"work": first}, lease=LONG).run_one()
    found = get(engine, job)
    assert (found.state, found.result, found.attempts) == ("done", {"by": "second", "attempt": 2}, 2)
    assert "The lease ended" in log_of(engine, job)[0].text


def test_a_worker_that_lost_its_job_hears_it_at_its_next_progress(engine: Engine) -> None:
    heard: list[str] = []

    def first(context: JobContext) -> None:
        expire(engine, context.id)
        Worker(engine, {"work": lambda _: {"by": "second"}}).run_one()
        try:
            context.progress(1, 1)
        except JobError as error:
            heard.append(error.en)
            raise

    job = put(engine)
    Worker(engine, {"work": first}, lease=LONG).run_one()
    assert len(heard) == 1
    assert "has ended" in heard[0]
    assert get(engine, job).result == {"by": "second"}


def test_a_job_whose_workers_always_vanish_fails_with_a_sentence(engine: Engine) -> None:
    job = put(engine, max_attempts=2)
    for attempt in (1, 2):
        held = lease.claim(engine, "vanishing", LONG, ["work"])
        assert held is not None
        assert held.attempt == attempt
        expire(engine, job)
    assert Worker(engine, {"work": lambda _: {}}).run_one() is False
    found = get(engine, job)
    assert found.state == "failed"
    assert "2 次" in (found.error_zh or "")
    assert "2 times" in (found.error_en or "")


def test_a_cancelled_job_whose_worker_vanished_is_not_begun_again(engine: Engine) -> None:
    job = put(engine)
    assert lease.claim(engine, "vanishing", LONG, ["work"]) is not None
    cancel(engine, job)
    expire(engine, job)
    assert Worker(engine, {"work": lambda _: {}}).run_one() is False
    assert get(engine, job).state == "cancelled"


def test_the_heartbeat_keeps_a_silent_job(engine: Engine) -> None:
    """The lease is a third of what the handler waits for: without the heartbeat the other worker would take it."""
    taken: list[bool] = []

    def handler(_: JobContext) -> dict[str, object]:
        other = Worker(engine, {"work": lambda _: {"by": "other"}})
        pause = threading.Event()
        for _turn in range(15):
            pause.wait(0.1)
            taken.append(other.run_one())
        return {"by": "first"}

    job = put(engine)
    Worker(engine, {"work": handler}, lease=timedelta(seconds=0.5)).run_one()
    assert taken == [False] * 15
    assert (get(engine, job).result, get(engine, job).attempts) == ({"by": "first"}, 1)


def test_many_workers_run_each_job_once(engine: Engine) -> None:
    begun: Counter[str] = Counter()
    counting = threading.Lock()

    def handler(context: JobContext) -> None:
        with counting:
            begun[context.id] += 1

    made = [put(engine) for _ in range(24)]

    def work(_: int) -> None:
        worker = Worker(engine, {"work": handler}, lease=LONG)
        while worker.run_one():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert begun == Counter(made)
    assert {get(engine, job).state for job in made} == {"done"}


def test_running_now_reports_progress_and_raises_the_handlers_own_refusal(engine: Engine) -> None:
    seen: list[tuple[int, int | None, str, str]] = []

    def handler(context: JobContext) -> None:
        context.progress(1, 2, "甲", "a")
        raise InputError("文件是空的。", "The file is empty.")

    job = put(engine)
    with pytest.raises(InputError, match="文件是空的"):
        run_now(engine, {"work": handler}, job, lambda *said: seen.append(said))
    assert seen == [(1, 2, "甲", "a")]
    with pytest.raises(InputError, match="文件是空的"):
        run_now(engine, {"work": handler}, job)


def test_running_now_does_not_try_again_by_itself(engine: Engine) -> None:
    job = put(engine, max_attempts=3)
    with pytest.raises(JobError, match="KeyError"):
        run_now(engine, {"work": lambda _: {}["missing"]}, job)
    assert (get(engine, job).state, get(engine, job).attempts) == ("failed", 1)


def test_running_now_follows_a_worker_that_was_quicker(engine: Engine) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def elsewhere(context: JobContext) -> dict[str, object]:
        context.progress(3, 9, "那边", "there")
        begun.set()
        go_on.wait(30)
        return {"by": "worker"}

    def here(_: JobContext) -> dict[str, object]:
        return {"by": "here"}

    seen: list[int] = []

    def on_progress(done: int, *_: object) -> None:
        seen.append(done)
        go_on.set()

    job = put(engine)
    worker = Worker(engine, {"work": elsewhere})
    worker.start()
    assert begun.wait(30)
    assert run_now(engine, {"work": here}, job, on_progress).result == {"by": "worker"}
    assert set(seen) == {3}
    worker.stop()


def test_control_c_cancels_the_job_run_now(engine: Engine) -> None:
    def handler(_: JobContext) -> None:
        raise KeyboardInterrupt

    job = put(engine)
    with pytest.raises(KeyboardInterrupt):
        run_now(engine, {"work": handler}, job)
    assert get(engine, job).state == "cancelled"


def test_a_kind_without_handler_is_refused_when_run_now(engine: Engine) -> None:
    with pytest.raises(JobError, match="unknown"):
        run_now(engine, {}, put(engine, kind="unknown"))
