"""A table into the frame that an evaluator takes: rows read, faults set aside, samples known by a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from qinglan.core.errors import InputError
from qinglan.gateways.files.reading import Table
from qinglan.gateways.judging import cells, columns, rejects
from qinglan.gateways.judging.declare import Judgement, edition_of, judgements
from qinglan.gateways.judging.frames import SLICE, Frames, Lengthened
from qinglan.gateways.judging.headers import Reading, read_header
from qinglan.gateways.judging.measures import Measures, elsewhere, measures_of, unit_by_code
from qinglan.gateways.judging.notes import Note, note_sentinels, notes_on
from qinglan.gateways.judging.settings import settings_of
from qinglan.gateways.judging.sheets import rows_of


@dataclass(frozen=True)
class Wishes:
    """What the user says beside the file.

    Attributes
    ----------
    settings
        Column or parameter → what holds for the whole table; or the name of the column.
    edition, on
        The edition to judge by, or the day whose edition is to be taken.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    edition: str | None = None
    on: date | None = None
    sheet: str | None = None


PLAIN = Wishes()
"""Nothing said beside the file."""


@dataclass(frozen=True)
class Prepared:
    """A table as its evaluator takes it.

    Attributes
    ----------
    texts
        The user's rows: ``row`` and the columns ``c0, c1 …`` as texts.
    known
        ``row``, ``sample`` (its number; null: not judged) and the columns read, one row for each of `texts`.
    frames
        What the evaluator gets, one after another; several only where each sample is judged by itself.
    arguments
        Beside the frame.
    """

    judgement: Judgement
    reading: Reading
    texts: pl.DataFrame
    known: pl.DataFrame
    frames: Frames
    arguments: dict[str, object]
    rejects: pl.DataFrame
    notes: tuple[Note, ...]
    source: str = "csv"
    """What kind of file it was: csv, excel, parquet."""


def prepare(table: Table, judgement: Judgement, wishes: Wishes) -> Prepared:
    """Return a table ready to be judged.

    Raises
    ------
    InputError
        If its header is not understood, or a setting is wrong or absent.
    EditionError
        If the edition that is asked for is not there.
    """
    measures = None if judgement.items is None else measures_of(judgement.items)
    settings = {name: text for name, text in wishes.settings.items() if text.strip()}
    day = wishes.on
    if day is not None and "on" in judgement.parameters:
        settings, day = {"on": day.isoformat()} | settings, None
    arguments = settings_of(judgement, settings)
    reading = read_header(table.head, judgement, measures, settings, table.title)
    chosen = edition_of(judgement, wishes.edition, day)
    if chosen is not None:
        arguments["edition"] = chosen
    texts, broken = rows_of(table, reading.header_rows, reading.width)
    faults = [rejects.of(broken, "", pl.col("value"), "fields")]
    known, unreadable = _columns(texts, judgement, reading, settings, arguments)
    faults += unreadable
    notes = notes_on(judgement, reading, known, arguments)
    if chosen is None:
        faults += _uncovered(known, judgement, reading)
    spoilt = rejects.joined(faults)["row"]
    known = known.with_columns((~pl.col("row").is_in(spoilt.implode())).alias("good"))
    if measures is None:
        known = known.with_columns(pl.when(pl.col("good")).then(pl.col("row")).alias("sample"))
        frame: pl.DataFrame | Lengthened = _plain(known, judgement)
    elif reading.tidy:
        known, frame, more = _tidy(texts, known, judgement, reading, measures, notes)
        faults += more
    else:
        known, frame, more = _wide(texts, known, judgement, reading, notes)
        faults += more
    if isinstance(frame, Lengthened):
        apart = judgement.per in ("sample", "item") and judgement.apart
        frames = Frames(frame, SLICE if apart else len(frame.beside))
    else:
        known, frame, more = _once(known, frame, judgement)
        faults += more
        frames = Frames(frame, len(frame))
    found = rejects.joined(faults)
    return Prepared(judgement, reading, texts, known, frames, arguments, found, tuple(notes), table.kind)


def _columns(
    texts: pl.DataFrame,
    judgement: Judgement,
    reading: Reading,
    settings: dict[str, str],
    arguments: dict[str, object],
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return ``row`` and the columns beside the items, read; and the faults of their cells."""
    known = texts.select("row")
    faults: list[pl.DataFrame] = []
    for role, column in judgement.columns.items():
        position, said = reading.roles.get(role), settings.get(role)
        if position is None and said is None:
            continue
        if position is None:
            alone = pl.DataFrame({"row": [0], "text": [said]}, schema={"row": pl.Int64, "text": pl.String})
            found, wrong = columns.read(alone, role, column.model_copy(update={"lenient": False}), role, None)
            if len(wrong):
                zh, en = wrong["right_zh"][0], wrong["right_en"][0]
                raise InputError(
                    f"{role} 的值“{said}”不可用，应为{zh}，或写表中的列名。",
                    f'The value "{said}" of {role} should be {en}, or the name of a column.',
                    field=role,
                )
            if column.argument is not None:
                arguments[column.argument] = found[0]
                continue
            known = known.with_columns(pl.lit(found[0], found.dtype).alias(role))
            continue
        text = pl.col(f"c{position}")
        if column.type in ("time", "date", "month") and reading.hour is not None:
            text = pl.concat_str([text, pl.col(f"c{reading.hour}").fill_null("")], separator=" ").str.strip_chars()
        rows = texts.select("row", text.alias("text"))
        found, wrong = columns.read(rows, role, column, reading.header[position], reading.units.get(role))
        if column.type == "date":
            _refuse_hours(judgement, reading.header[position], found, wrong)
        faults.append(wrong)
        known = known.with_columns(found)
        if column.argument is not None:
            arguments[column.argument] = role
    return known, faults


def _refuse_hours(judgement: Judgement, header: str, found: pl.Series, wrong: pl.DataFrame) -> None:
    """Refuse a table of hours where days are needed: its midnights would be taken for days."""
    hour = rejects.reasons()["date_hour"]["zh"]
    with_hours = int((wrong["zh"] == hour).sum())
    if with_hours * 2 <= int(found.count()) + with_hours:
        return
    others = [one for one in judgements() if one.medium == judgement.medium and "stamp" in one.parameters]
    methods = "、".join(f"--method {one.method}（{one.title.zh}）" for one in others)
    raise InputError(
        f"“{header}”列多数带有小时，而{judgement.title.zh}要一天一行的数据{methods and '；小时数据请用 ' + methods}。",
        f'Column "{header}" mostly holds hours, and {judgement.title.en} needs rows of whole days'
        f"{methods and '; for hours use ' + ', '.join(f'--method {one.method}' for one in others)}.",
        field=header,
    )


def _uncovered(known: pl.DataFrame, judgement: Judgement, reading: Reading) -> list[pl.DataFrame]:
    """Return the rows whose day lies before the first edition on file."""
    role = next((role for role in ("date", "time") if role in known.columns), None)
    available = judgement.available()
    if role is None or not available or judgement.per == "group":
        return []
    first = available[0]
    early = known.filter(pl.col(role).cast(pl.Date) < first.in_force.start)
    named = f"{first.name}，自 {first.in_force.start} 起"
    named_en = f"{first.name}, from {first.in_force.start}"
    return [
        rejects.of(
            early, reading.title(role), pl.col(role).dt.strftime("%Y-%m-%d"), "edition", detail=(named, named_en)
        )
    ]


def _plain(known: pl.DataFrame, judgement: Judgement) -> pl.DataFrame:
    """Return the good rows with the columns that were read; by its number where a verdict is of a row."""
    good = known.filter("good")
    read = good.drop("row", "good", "sample")
    if judgement.per == "row":
        read = read.with_columns(good["row"].cast(pl.String).alias("site"))
    elif "site" not in read.columns:
        read = read.with_columns(pl.lit("全部").alias("site"))
    return read


def _keys(judgement: Judgement, known: pl.DataFrame) -> list[str]:
    """Return the columns that set samples apart."""
    always = [role for role in ("site", "time", "date") if role in known.columns]
    return always + [role for role, column in judgement.columns.items() if column.key and role in known.columns]


def _beside(judgement: Judgement, known: pl.DataFrame) -> list[str]:
    """Return the columns that go to the evaluator beside the items."""
    return [role for role in judgement.columns if role in known.columns]


def _sites(frame: pl.DataFrame, judgement: Judgement) -> pl.DataFrame:
    """Return the frame with the sample's number for the site, where a verdict is of a sample."""
    numbered = judgement.per in ("sample", "item")
    if numbered:
        frame = frame.with_columns(pl.col("sample").cast(pl.String).alias("site"))
    elif "site" not in frame.columns:
        frame = frame.with_columns(pl.lit("全部").alias("site"))
    if "time" in judgement.columns and "time" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.Datetime("us")).alias("time"))
    return frame


def _wide(
    texts: pl.DataFrame, known: pl.DataFrame, judgement: Judgement, reading: Reading, notes: list[Note]
) -> tuple[pl.DataFrame, pl.DataFrame | Lengthened, list[pl.DataFrame]]:
    """Return the samples of a table with a column an item: each row is one."""
    faults: list[pl.DataFrame] = []
    numbers: dict[str, cells.Numbers] = {}
    sentinels = 0
    bad = pl.Series([False] * len(texts), dtype=pl.Boolean)
    filled = bad
    for position, column in reading.measured.items():
        text = texts[f"c{position}"]
        read = cells.read_numbers(text, column.measure, column.unit)
        numbers[column.measure.code] = read
        sentinels += read.sentinels
        wrong = read.frame["fault"].is_not_null()
        bad = bad | wrong
        filled = filled | read.frame["value"].is_not_null() | read.frame["qualifier"].is_not_null()
        if wrong.any():
            beside = read.frame.with_columns(texts["row"], text.alias("text"))
            faults += cells.refused(beside, column.header, column.measure)
    spoils = judgement.per in ("sample", "item", "key")
    usable = known["good"] & filled & ~(bad & spoils)
    nothing = texts.filter(known["good"] & ~filled & ~bad)
    faults.append(rejects.of(nothing, "", pl.lit(None, pl.String), "nothing"))
    note_sentinels(sentinels, notes)
    known = known.with_columns(pl.when(usable).then(pl.col("row")).alias("sample"))
    beside = _sites(known.filter("good"), judgement)
    good = known["good"]
    qualified = any(read.some_qualified for read in numbers.values())
    declared = judgement.items
    if declared is not None and declared.wide and not qualified:
        values = {code: read.frame["value"].filter(good) for code, read in numbers.items()}
        frame = beside.with_columns(series.alias(code) for code, series in values.items())
        frame = frame.filter(pl.col("sample").is_not_null())
        return known, frame.select("site", *(n for n in _beside(judgement, frame) if n != "site"), *values), faults
    index = ["site", "sample", *(n for n in _beside(judgement, beside) if n != "site")]
    if "time" in beside.columns and "time" not in index:
        index.append("time")
    return known, Lengthened(beside.select(index), {c: read.frame.filter(good) for c, read in numbers.items()}), faults


def _slim(frame: pl.DataFrame) -> pl.DataFrame:
    """Drop qualifiers where there are none: plain numbers are judged more quickly."""
    plain = frame["qualifier"].null_count() == len(frame)
    return frame.drop("qualifier", "limit") if plain else frame


def _tidy(
    texts: pl.DataFrame,
    known: pl.DataFrame,
    judgement: Judgement,
    reading: Reading,
    measures: Measures,
    notes: list[Note],
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Return the samples of a table whose rows name their items."""
    roles = {role: reading.roles[role] for role in ("factor", "value", "unit", "qualifier", "limit")
             if role in reading.roles}  # fmt: skip
    rows = texts.select("row", *(pl.col(f"c{position}").alias(role) for role, position in roles.items()))
    named = [name for name in rows["factor"].unique().to_list() if name is not None and name.strip()]
    codes = {name: measure.code for name in named if (measure := measures.find(name)) is not None}
    faults = [
        rejects.of(
            rows.filter(pl.col("factor") == name),
            reading.title("factor"),
            pl.col("factor"),
            "foreign",
            ("、".join(one.title for one in measures.all[:6]) + " 等", "an item of this judgement"),
            (elsewhere(name), ""),
        )
        for name in sorted(set(named) - set(codes))
    ]
    unnamed = rows.filter(pl.col("factor").fill_null("").str.strip_chars() == "")
    faults.append(rejects.of(unnamed, reading.title("factor"), pl.col("factor"), "factor_blank"))
    by_code = {name: unit for name in codes if (unit := unit_by_code(name)) is not None}
    rows = rows.with_columns(
        pl.col("factor").replace_strict(codes, default=None, return_dtype=pl.String).alias("code")
    ).filter(pl.col("code").is_not_null())
    if by_code:
        own = pl.col("factor").replace_strict(by_code, default=None, return_dtype=pl.String)
        given = pl.col("unit").str.strip_chars() if "unit" in rows.columns else pl.lit(None, pl.String)
        default = pl.lit(reading.units.get("value"), pl.String)
        rows = rows.with_columns(pl.coalesce(pl.when(given != "").then(given), default, own).alias("unit"))
    by = {measure.code: measure for measure in measures.all}
    read, sentinels = cells.read_tidy(rows, by, reading.units.get("value"))
    note_sentinels(sentinels, notes)
    if read.is_empty():
        return known.with_columns(pl.lit(None, pl.Int64).alias("sample")), known.head(0), faults
    read = rows.select("row", "code").join(read, on="row", how="left", maintain_order="left")
    for (code,), part in read.filter(pl.col("fault").is_not_null()).partition_by("code", as_dict=True).items():
        faults += cells.refused(part, reading.title("value"), by[str(code)])
    keys = _keys(judgement, known)
    numbered = _numbered(known, keys)
    joined = read.join(numbered, on="row", how="left", maintain_order="left")
    if judgement.per in ("sample", "item"):
        spoilt = joined.filter(pl.col("fault").is_not_null() | ~pl.col("good"))["sample"].unique()
        mates = joined.filter(pl.col("sample").is_in(spoilt.implode()) & pl.col("fault").is_null() & pl.col("good"))
        shown = texts.select("row", pl.col(f"c{reading.roles['value']}").alias("text"))
        of_mates = mates.select("row").join(shown, on="row", how="left", maintain_order="left")
        faults.append(rejects.of(of_mates, reading.title("value"), pl.col("text"), "companion"))
        joined = joined.filter(~pl.col("sample").is_in(spoilt.implode()))
    empty = pl.col("value").is_null() & pl.col("qualifier").is_null()
    usable = joined.filter(pl.col("good") & pl.col("fault").is_null() & ~empty)
    blank = joined.filter(pl.col("good") & pl.col("fault").is_null() & empty)
    faults.append(rejects.of(blank, reading.title("value"), pl.lit(None, pl.String), "blank", ("数值", "a number")))
    kept = numbered.join(usable.select("row", "code"), on="row", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("code").is_not_null()).then(pl.col("sample")).alias("sample")
    )
    frame = _sites(usable, judgement).rename({"code": "factor"})
    beside = [name for name in _beside(judgement, frame) if name not in ("site", "factor", "value")]
    if "time" in frame.columns and "time" not in beside:
        beside.append("time")
    return kept, _slim(frame.select("site", *beside, "factor", "value", "qualifier", "limit")), faults


def _numbered(known: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return the rows with the number of the sample that each belongs to."""
    if not keys:
        return known.with_columns(pl.lit(1, pl.Int64).alias("sample"))
    samples = known.select(keys).unique(maintain_order=True)
    samples = samples.with_columns(pl.int_range(1, len(samples) + 1, dtype=pl.Int64).alias("sample"))
    return known.join(samples, on=keys, how="left", maintain_order="left", nulls_equal=True)


def _once(
    known: pl.DataFrame, frame: pl.DataFrame, judgement: Judgement
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Leave each key once where verdicts are found again by key; the rows that repeat one are refused."""
    if judgement.per != "key" or judgement.items is not None:
        return known, frame, []
    keys = [key for key in judgement.keys if key in known.columns]
    good = known.filter("good")
    repeated = good.filter(~_first(good, keys))
    if repeated.is_empty():
        return known, frame, []
    titles = "、".join(judgement.columns[key].title.zh for key in keys)
    titles_en = ", ".join(judgement.columns[key].title.en for key in keys)
    faults = [rejects.of(repeated, "", pl.lit(None, pl.String), "twice", detail=(titles, titles_en))]
    again = pl.col("row").is_in(repeated["row"].implode())
    left = known.with_columns(pl.when(~again).then(pl.col("sample")).alias("sample"))
    return left, frame.filter(_first(frame, keys)), faults


def _first(frame: pl.DataFrame, keys: list[str]) -> pl.Series:
    return frame.select(pl.struct(keys).is_first_distinct().alias("first"))["first"]
