"""Moments, JSON, transactions and updates mean the same on each database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from qinglan.base import dialect
from qinglan.base.engine import place, reading, transaction
from qinglan.base.schema import audit, imports, latest, meta

BEIJING = timezone(timedelta(hours=8))


def write(engine: Engine, at: datetime, detail: Any = None) -> None:
    with transaction(engine) as connection:
        connection.execute(insert(audit), [{"at": at, "who": "测试", "what": "w", "object": "o", "detail": detail}])


def test_a_moment_comes_back_in_utc_with_its_zone(engine: Engine) -> None:
    write(engine, datetime(2023, 1, 20, 0, 30, 15, 123456, tzinfo=BEIJING))
    with reading(engine) as connection:
        found = connection.execute(select(audit.c.at)).scalar_one()
    # 00:30 in Beijing is 16:30 of the day before in UTC.
    assert found == datetime(2023, 1, 19, 16, 30, 15, 123456, tzinfo=UTC)
    assert found.utcoffset() == timedelta(0)


def test_moments_compare_across_zones(engine: Engine) -> None:
    write(engine, datetime(2023, 1, 20, 0, 30, tzinfo=BEIJING))
    with reading(engine) as connection:
        count = select(func.count()).select_from(audit)
        late, early = datetime(2023, 1, 19, 16, 29, tzinfo=UTC), datetime(2023, 1, 19, 16, 31, tzinfo=UTC)
        assert connection.execute(count.where(audit.c.at > late)).scalar_one() == 1
        assert connection.execute(count.where(audit.c.at > early)).scalar_one() == 0


def test_a_moment_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="has no zone"):
        write(engine, datetime(2023, 1, 20))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@examples(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(detail=JSON.filter(lambda value: value is not None))
def test_json_comes_back_as_it_was(engine: Engine, detail: Any) -> None:
    write(engine, datetime(2023, 1, 20, tzinfo=UTC), detail)
    with reading(engine) as connection:
        found = connection.execute(select(audit.c.detail).order_by(audit.c.id.desc()).limit(1)).scalar_one()
    assert found == detail


def test_no_json_is_null_and_nan_is_refused(engine: Engine) -> None:
    write(engine, datetime(2023, 1, 20, tzinfo=UTC), None)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).where(audit.c.detail.is_(None))).scalar_one() == 1
    with pytest.raises(StatementError, match="not JSON compliant"):
        write(engine, datetime(2023, 1, 20, tzinfo=UTC), {"value": float("nan")})


def test_two_threads_that_read_and_then_write_lose_no_update(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(insert(meta), [{"key": "counter", "value": "0"}])
    barrier = threading.Barrier(2)

    def count(_: int) -> None:
        barrier.wait()
        for _turn in range(25):
            with transaction(engine) as connection:
                query = select(meta.c.value).where(meta.c.key == "counter").with_for_update()
                value = int(connection.execute(query).scalar_one())
                changed = meta.update().where(meta.c.key == "counter").values(value=str(value + 1))
                connection.execute(changed)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, range(2)))
    with reading(engine) as connection:
        assert connection.execute(select(meta.c.value).where(meta.c.key == "counter")).scalar_one() == "50"


def test_a_reader_does_not_wait_for_a_writer_nor_see_its_work(engine: Engine) -> None:
    with transaction(engine) as writer:
        writer.execute(insert(meta), [{"key": "unfinished", "value": "x"}])
        with reading(engine) as reader:
            seen = reader.execute(select(func.count()).where(meta.c.key == "unfinished")).scalar_one()
    assert seen == 0


def test_a_block_that_raises_writes_nothing(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and_fail(engine)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).where(meta.c.key == "half")).scalar_one() == 0


def write_and_fail(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(insert(meta), [{"key": "half", "value": "x"}])
        raise ZeroDivisionError


def test_a_reference_to_nothing_is_refused(engine: Engine) -> None:
    row = {
        "id": "none", "files": [], "basis": "audited", "source": "file", "layout": "tidy",
        "created": datetime(2023, 1, 20, tzinfo=UTC),
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(insert(imports), [row])


def reading_of(revision: int, value: float) -> dict[str, Any]:
    moment = datetime(2023, 1, 20, tzinfo=UTC)
    return {
        "site": "1001A", "factor": "a34004", "grain": "hour", "basis": "realtime", "time": moment, "value": value,
        "limit": 0.5, "source": "file", "received": moment, "revision": revision,
    }  # fmt: skip


def test_upsert_keeps_the_newer_row_whatever_the_order(engine: Engine) -> None:
    for revision, value in ((2, 20.0), (1, 10.0)):
        with transaction(engine) as connection:
            dialect.upsert(connection, latest, [reading_of(revision, value)], newer="revision")
    with reading(engine) as connection:
        row = connection.execute(select(latest)).mappings().one()
    assert (row["revision"], row["value"], row["limit"]) == (2, 20.0, 0.5)


def test_upsert_without_an_order_takes_the_last(engine: Engine) -> None:
    with transaction(engine) as connection:
        dialect.upsert(connection, latest, [])
        dialect.upsert(connection, latest, [reading_of(2, 20.0)])
        dialect.upsert(connection, latest, [reading_of(1, 10.0)])
        assert connection.execute(select(latest.c.value)).scalars().all() == [10.0]


def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    from qinglan.base.database import open_base
    from qinglan.base.settings import Settings

    engine = open_base(Settings.load(tmp_path, {}))
    with engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    assert place(engine) == str(tmp_path / "base.sqlite")
