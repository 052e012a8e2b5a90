"""Jobs are put in, listed and cancelled."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from qinglan.base.engine import reading, transaction
from qinglan.base.schema import jobs as table
from qinglan.core.errors import InputError, JobError
from qinglan.jobs import Worker, cancel, enqueue, get, list_jobs
from qinglan.jobs.queue import new_id


def put(engine: Engine, kind: str = "count", **arguments: object) -> str:
    return enqueue(engine, kind, arguments, title_zh="数数", title_en="Counting")


def test_a_new_job_waits_with_what_it_was_given(engine: Engine) -> None:
    job = get(engine, put(engine, files=["甲.csv"], as_of=None))
    assert (job.kind, job.state, job.attempts, job.done, job.total) == ("count", "waiting", 0, 0, None)
    assert job.arguments == {"files": ["甲.csv"], "as_of": None}
    assert job.title == {"zh": "数数", "en": "Counting"}
    assert job.error is None
    assert not job.is_finished


def test_ids_sort_by_the_order_in_which_they_were_made() -> None:
    made = [new_id() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == 2000


def test_the_newest_is_listed_first_and_pages_do_not_overlap(engine: Engine) -> None:
    made = [put(engine, kind) for kind in ("a", "b", "a", "b", "a")]
    assert [job.id for job in list_jobs(engine, limit=2)] == [made[4], made[3]]
    assert [job.id for job in list_jobs(engine, limit=2, before=made[3])] == [made[2], made[1]]
    assert [job.id for job in list_jobs(engine, kinds=["b"], limit=9)] == [made[3], made[1]]
    assert list_jobs(engine, states=["done"]) == []


def test_a_job_is_written_with_the_rows_it_belongs_to_or_not_at_all(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError):
        put_and_fail(engine)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0


def put_and_fail(engine: Engine) -> None:
    with transaction(engine) as connection:
        enqueue(engine, "count", {}, title_zh="数", title_en="Count", connection=connection)
        raise ZeroDivisionError


def test_an_unknown_job_is_named(engine: Engine) -> None:
    for look in (get, cancel):
        with pytest.raises(InputError, match="nowhere"):
            look(engine, "nowhere")


def test_a_job_must_be_allowed_one_attempt(engine: Engine) -> None:
    with pytest.raises(InputError, match="max_attempts"):
        enqueue(engine, "count", {}, title_zh="数", title_en="Count", max_attempts=0)


def test_a_waiting_job_is_cancelled_at_once_and_never_begun(engine: Engine) -> None:
    job = put(engine)
    assert cancel(engine, job).state == "cancelled"
    assert Worker(engine, {"count": lambda _: {"begun": True}}).run_one() is False
    assert get(engine, job).result is None
    with pytest.raises(JobError, match="已结束"):
        cancel(engine, job)


def test_times_are_shown_in_beijing_time(engine: Engine) -> None:
    shown = get(engine, put(engine)).as_json()
    assert shown["created"].endswith("+08:00")
    assert shown["started"] is None
    assert shown["progress"] == {"done": 0, "total": None, "message": {"zh": "", "en": ""}}
