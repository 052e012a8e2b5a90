from __future__ import annotations

from datetime import timedelta

import pytest
from lake_frames import T, hours
from sqlalchemy import Engine

from qinglan.base.engine import transaction
from qinglan.base.schema import latest as table
from qinglan.base.settings import Settings
from qinglan.observations import lake as lake_module
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake


def shown(lake: Lake) -> list[tuple[object, ...]]:
    return lake.latest().select("site", "time", "value", "flag", "source", "revision").rows()


def test_the_newest_time_of_each_series_is_kept(full_lake: Lake) -> None:
    full_lake.submit(hours([1.0, 2.0]), source="file")
    full_lake.submit(hours([5.0], site="1002A"), source="file")
    full_lake.submit(hours([9.0]), source="file")
    assert shown(full_lake) == [
        ("1001A", T + timedelta(hours=1), 2.0, None, "file", 1),
        ("1002A", T, 5.0, None, "file", 2),
    ]


def test_a_correction_to_no_value_replaces_the_newest(full_lake: Lake) -> None:
    full_lake.submit(hours([1.0, 2.0]), source="file")
    full_lake.submit(hours([None], first=T + timedelta(hours=1), flag="instrument"), source="file")
    assert shown(full_lake) == [("1001A", T + timedelta(hours=1), None, "instrument", "file", 2)]


def test_without_a_base_the_same_is_read_from_the_lake(full_lake: Lake, settings: Settings) -> None:
    full_lake.submit(hours([1.0, 2.0]), source="file")
    full_lake.submit(hours([None], first=T + timedelta(hours=1)), source="cnemc")
    assert open_lake(settings).latest().equals(full_lake.latest())


def test_at_the_same_time_the_preferred_source_stands(settings: Settings, base: Engine) -> None:
    lake = open_lake(settings, base, preference=["cnemc"])
    lake.submit(hours([1.0]), source="cnemc")
    lake.submit(hours([2.0]), source="file")
    assert shown(lake) == [("1001A", T, 1.0, None, "cnemc", 1)]
    lake.submit(hours([1.5]), source="cnemc")
    assert shown(lake) == [("1001A", T, 1.5, None, "cnemc", 3)]


def test_a_crash_before_the_table_was_written_heals(
    full_lake: Lake, settings: Settings, base: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_lake.submit(hours([1.0]), source="file")
    with monkeypatch.context() as patched:
        patched.setattr(lake_module.latest, "update", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            full_lake.submit(hours([2.0]), source="file")
    assert shown(full_lake) == [("1001A", T, 1.0, None, "file", 1)]
    reopened = open_lake(settings, base)
    reopened.drain()
    assert shown(reopened) == [("1001A", T, 2.0, None, "file", 2)]
    assert maintenance.verify(reopened) == []


def test_a_writer_that_goes_on_after_the_crash_of_another_leaves_no_gap(
    full_lake: Lake, settings: Settings, base: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_lake.submit(hours([1.0]), source="file")
    with monkeypatch.context() as patched:
        patched.setattr(lake_module.latest, "update", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            open_lake(settings, base).submit(hours([2.0], site="1002A"), source="file")
    full_lake.submit(hours([3.0], site="1003A"), source="file")
    assert [(site, value) for site, _, value, *_ in shown(full_lake)] == [
        ("1001A", 1.0),
        ("1002A", 2.0),
        ("1003A", 3.0),
    ]
    assert maintenance.verify(open_lake(settings, base)) == []


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_lost_table_is_found_and_made_again(full_lake: Lake, base: Engine) -> None:
    full_lake.submit(hours([1.0, 2.0]), source="file")
    with transaction(base) as connection:
        connection.execute(table.update().values(value=99.0))
    assert [found.what for found in maintenance.verify(full_lake)] == ["latest"]
    maintenance.rebuild(full_lake)
    assert maintenance.verify(full_lake) == []
    assert full_lake.latest()["value"].to_list() == [2.0]
