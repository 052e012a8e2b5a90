"""The scripts make exactly the tables that the program reads, on each database; a newer base is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text, update

from qinglan.base.database import open_base
from qinglan.base.engine import open_engine, reading, transaction
from qinglan.base.migrations import current_version, newest_version, upgrade
from qinglan.base.schema import meta, metadata
from qinglan.base.settings import Settings
from qinglan.core.errors import NewerDataError

DECLARED = {
    "alembic_version", "audit", "imports", "indicator_targets", "indicator_values", "job_log", "jobs", "latest", "meta",
}  # fmt: skip


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, metadata)


def test_the_migrated_base_is_what_the_program_declares(engine: Engine) -> None:
    assert differences(engine) == []
    assert set(inspect(engine).get_table_names()) >= DECLARED
    assert current_version(engine) == newest_version()


def test_the_comparison_sees_a_difference(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE audit ADD COLUMN further INTEGER"))
    assert [change[0] for change in differences(engine)] == ["remove_column"]


def test_names_follow_one_convention_on_each_database(engine: Engine) -> None:
    found = inspect(engine)
    assert found.get_pk_constraint("latest")["name"] == "pk_latest"
    assert found.get_foreign_keys("job_log")[0]["name"] == "fk_job_log_job_jobs"
    assert found.get_check_constraints("jobs")[0]["name"] == "ck_jobs_state"
    assert {index["name"] for index in found.get_indexes("jobs")} == {"ix_jobs_kind_id", "ix_jobs_state_id"}


def test_an_empty_base_has_no_version(settings: Settings) -> None:
    settings.prepare()
    engine = open_engine(settings)
    assert current_version(engine) is None
    upgrade(engine)
    assert current_version(engine) == newest_version()
    engine.dispose()


def test_opening_again_changes_nothing(settings: Settings) -> None:
    first = open_base(settings)
    with reading(first) as connection:
        before = connection.execute(meta.select().order_by(meta.c.key)).all()
    first.dispose()
    again = open_base(settings)
    with reading(again) as connection:
        assert connection.execute(meta.select().order_by(meta.c.key)).all() == before
    again.dispose()
    assert {row.key for row in before} == {"created", "program", "schema"}


def test_a_base_of_a_newer_version_is_refused_and_left_as_it_is(settings: Settings) -> None:
    engine = open_base(settings)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(update(meta).where(meta.c.key == "program").values(value="12.0"))
    engine.dispose()
    with pytest.raises(NewerDataError) as refusal:
        open_base(settings)
    for word in ("12.0", "9999", newest_version()):
        assert word in refusal.value.zh
        assert word in refusal.value.en
    assert refusal.value.exit_code == 2
    again = open_engine(settings)
    assert current_version(again) == "9999"
    again.dispose()


def test_many_opening_a_new_base_at_once(settings: Settings) -> None:
    def opened(_: int) -> str | None:
        engine = open_base(settings)
        try:
            return current_version(engine)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(opened, range(6))) == [newest_version()] * 6
