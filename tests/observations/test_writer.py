from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_frames import T, hours, python, values

from qinglan.base.settings import Settings
from qinglan.core.errors import BusyError, InputError
from qinglan.observations import writer
from qinglan.observations.journal import Journal, Receipt
from qinglan.observations.lake import Lake, open_lake
from qinglan.observations.schema import CONTENT, IDENTITY, OBSERVATION
from qinglan.observations.writer import classify


def test_new_repeated_and_revised_rows_are_counted(lake: Lake) -> None:
    assert lake.submit(hours([1.0, 2.0, 3.0]), source="file") == Receipt(3, 3, 0, 0)
    assert lake.submit(hours([1.0, 2.5, 3.0, 4.0]), source="file") == Receipt(4, 1, 2, 1)
    assert values(lake.scan()) == [1.0, 2.5, 3.0, 4.0]


def test_the_same_batch_twice_adds_nothing(lake: Lake) -> None:
    frame = hours([1.0, None, 3.0], flag="maintenance")
    lake.submit(frame, source="file")
    before = lake.revision
    assert lake.submit(frame, source="file") == Receipt(3, 0, 3, 0)
    assert lake.revision == before
    assert lake.journal.backlog(lake.history.open().transaction(lake.journal.app_id)) == (0, 0)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "changed",
    [
        {"value": pl.lit(None, pl.Float64)},
        {"flag": pl.lit("instrument")},
        {"qualifier": pl.lit("<")},
        {"limit": pl.lit(0.5)},
    ],
)
def test_a_change_of_any_part_of_the_content_is_a_revision(lake: Lake, changed: dict[str, pl.Expr]) -> None:
    lake.submit(hours([1.0]), source="file")
    assert lake.submit(hours([1.0]).with_columns(**changed), source="file") == Receipt(1, 0, 0, 1)


def test_another_source_basis_or_series_is_not_a_revision(lake: Lake) -> None:
    lake.submit(hours([1.0]), source="file")
    assert lake.submit(hours([2.0]), source="cnemc") == Receipt(1, 1, 0, 0)
    assert lake.submit(hours([3.0], basis="audited"), source="file") == Receipt(1, 1, 0, 0)
    assert lake.submit(hours([4.0], site="1002A"), source="file") == Receipt(1, 1, 0, 0)


def test_inside_one_batch_the_later_row_wins(lake: Lake) -> None:
    twice = pl.concat([hours([1.0, 2.0]), hours([1.0, 9.0])])
    assert lake.submit(twice, source="file") == Receipt(4, 2, 1, 1)
    assert values(lake.scan()) == [1.0, 9.0]


def test_a_value_that_changes_back_is_a_revision_each_time(lake: Lake) -> None:
    for value, revised in ((1.0, 0), (2.0, 1), (1.0, 1)):
        assert lake.submit(hours([value]), source="file").revised == revised
    assert values(lake.scan()) == [1.0]


def test_batches_that_another_process_drains_still_get_their_own_receipt(lake: Lake, settings: Settings) -> None:
    offsets = lake.journal.append_many([(hours([1.0, 2.0]), "file"), (hours([1.0, 5.0]), "file")])
    assert open_lake(settings).drain() == Receipt(4, 2, 1, 1)
    assert lake.journal.receipt(offsets[:1]) == Receipt(2, 2, 0, 0)
    assert lake.journal.receipt(offsets[1:]) == Receipt(2, 0, 1, 1)
    assert lake.drain() == Receipt()


def test_a_refused_frame_changes_nothing(lake: Lake) -> None:
    with pytest.raises(InputError):
        lake.submit(hours([1.0]).drop("site"), source="file")
    assert lake.scan().collect().height == 0


def test_while_another_writes_a_submission_is_kept_for_the_next_writer(lake: Lake, settings: Settings) -> None:
    with open_lake(settings).locked(), pytest.raises(BusyError):
        lake.submit(hours([1.0]), source="file", wait=0.1)
    assert lake.submit(hours([2.0], first=T + timedelta(hours=1)), source="file") == Receipt(1, 1, 0, 0)
    assert values(lake.scan()) == [1.0, 2.0]


def test_a_journal_older_than_the_lake_is_not_passed_over(lake: Lake, settings: Settings) -> None:
    lake.submit(hours([1.0]), source="file")
    lake.submit(hours([2.0]), source="file")
    lake.journal.close()
    app = Journal(settings.journals / "lake.sqlite").app_id
    for file in settings.journals.glob("lake.sqlite*"):
        file.unlink()
    restored = Journal(settings.journals / "lake.sqlite")
    with restored._transaction() as connection:
        connection.execute("UPDATE meta SET value=? WHERE name='app'", (app,))
    reopened = open_lake(settings)
    assert reopened.submit(hours([3.0]), source="file") == Receipt(1, 0, 0, 1)
    assert values(reopened.scan()) == [3.0]


def test_old_batches_are_forgotten_once_the_lake_holds_them(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.submit(hours([1.0]), source="file")
    assert lake.journal.backlog(0) == (1, 1)
    with monkeypatch.context() as patched:
        patched.setattr(writer, "_KEPT", timedelta(0))
        lake.drain()
    assert lake.journal.backlog(0) == (0, 0)
    assert lake.submit(hours([2.0]), source="file") == Receipt(1, 0, 0, 1)
    assert values(lake.scan()) == [2.0]


def test_every_journal_in_the_folder_is_drained(lake: Lake, settings: Settings) -> None:
    Journal(settings.journals / "gateway-1.sqlite").append(hours([1.0]), source="hj212")
    Journal(settings.journals / "gateway-2.sqlite").append(hours([2.0], site="1002A"), source="hj212")
    assert lake.drain() == Receipt(2, 2, 0, 0)
    assert values(lake.scan()) == [1.0, 2.0]


ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([1.0, 2.0, None])), max_size=5)


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(ROWS, min_size=1, max_size=4), before=st.dictionaries(st.sampled_from("ab"), st.just(1.0)))
def test_many_batches_in_one_commit_count_as_if_each_had_come_alone(
    batches: list[list[tuple[str, float | None]]], before: dict[str, float]
) -> None:
    rows = pl.concat(
        [
            pl.concat([hours([value], site=site) for site, value in batch]).with_columns(offset=pl.lit(at, pl.Int64))
            for at, batch in enumerate(batches)
            if batch
        ]
        or [hours([1.0]).clear().with_columns(offset=pl.lit(0, pl.Int64))]
    ).with_columns(
        source=pl.lit("file"),
        qualifier=pl.lit(None, pl.String),
        limit=pl.lit(None, pl.Float64),
        revision=pl.col("offset"),
    )
    known = rows.clear().select(*IDENTITY, *CONTENT)
    for site, value in before.items():
        known.extend(rows.clear().vstack(_row(rows, site, value)).select(known.columns))

    written, receipts = classify(rows, known)

    state: dict[str, float | None] = dict(before)
    expected: list[tuple[int, str, float | None]] = []
    for at, batch in enumerate(batches):
        last = dict(batch)
        counts = [0, 0, 0]
        seen: dict[str, int] = {site: index for index, (site, _) in enumerate(batch)}
        for index, (site, value) in enumerate(batch):
            if index != seen[site]:
                counts[1 if value == last[site] else 2] += 1
        for site, value in last.items():
            kind = 0 if site not in state else 1 if state[site] == value else 2
            counts[kind] += 1
            if kind != 1:
                expected.append((at, site, value))
            state[site] = value
        if batch:
            assert receipts[at] == Receipt(len(batch), *counts)
    assert sorted(written.select("offset", "site", "value").rows(), key=str) == sorted(expected, key=str)
    assert set(OBSERVATION) - {"received"} <= set(written.columns)


def _row(like: pl.DataFrame, site: str, value: float) -> pl.DataFrame:
    row = hours([value], site=site).with_columns(
        offset=pl.lit(0, pl.Int64),
        source=pl.lit("file"),
        qualifier=pl.lit(None, pl.String),
        limit=pl.lit(None, pl.Float64),
        revision=pl.lit(0, pl.Int64),
    )
    return row.select(like.columns)


def test_two_processes_that_submit_the_same_add_it_once(lake: Lake, settings: Settings) -> None:
    script = (
        "import sys; from pathlib import Path; from lake_frames import hours\n"
        "from qinglan.base.settings import Settings; from qinglan.observations.lake import open_lake\n"
        "lake = open_lake(Settings(home=Path(sys.argv[1])))\n"
        "print(sum(lake.submit(hours([float(n)] * 24, site=f's{n}'), source='file').added for n in range(10)))"
    )
    children = [python(script, settings.home) for _ in range(2)]
    added = 0
    for child in children:
        printed, complaint = child.communicate(timeout=120)
        assert child.returncode == 0, complaint
        added += int(printed)
    assert added == 240
    assert lake.scan().collect().height == 240
    assert lake.history.open().files()["rows"].sum() == 240  # type: ignore[union-attr]
