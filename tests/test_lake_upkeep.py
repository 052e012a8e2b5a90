"""The lake is brought to order by itself: after an import that left many files behind."""

from __future__ import annotations

from qinglan import app, jobs
from qinglan.app import Application
from qinglan.base.settings import Settings
from qinglan.gateways.files.records import ImportOptions, start_import
from qinglan.jobs import Worker, run_now
from qinglan.observations import maintenance


def test_an_import_that_leaves_many_files_is_followed_by_one_compaction(tmp_path, monkeypatch):
    monkeypatch.setattr(maintenance, "TAIL_FILES", 1)
    with Application.open(Settings.load(tmp_path / "home", {})) as application:

        def take(month: int) -> None:
            path = tmp_path / f"{month}.csv"
            path.write_text(f"site,time,PM2.5\nA,2023-{month:02}-10 08:00,12\n", "utf-8")
            options = ImportOptions(stamp="start", grain="hour")
            run_now(
                application.engine,
                application.handlers,
                start_import(application.engine, application.settings, [path], options),
            )

        take(1)
        assert jobs.list_jobs(application.engine, kinds=[app.COMPACT]) == []
        take(2)
        take(3)
        (job,) = jobs.list_jobs(application.engine, kinds=[app.COMPACT])
        assert job.state == "waiting"
        assert Worker(application.engine, application.handlers).run_one()
        assert jobs.get(application.engine, job.id).state == "done"
        assert maintenance.status(application.lake)["tail"]["files"] == 0
