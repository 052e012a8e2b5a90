"""A snapshot as DuckDB's and as Spark's own frame.

Neither engine is shown the folder names: DuckDB would guess the types of `grain` and `month`, and Spark silently
drops them from a list of files; the grain is a literal instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from qinglan.observations.schema import KEY, OBSERVATION

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame as SparkFrame
    from pyspark.sql import SparkSession

    from qinglan.observations.read import Part, Snapshot, Wanted

_DUCKDB_TYPES = {"Float64": "DOUBLE", "Int64": "BIGINT", "String": "VARCHAR"}
_KEY = ", ".join(KEY)


def duckdb_relation(snapshot: Snapshot, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Return the snapshot as a DuckDB relation."""
    columns = ", ".join(f'"{name}"' for name in OBSERVATION)
    held = _union(snapshot, snapshot.held)
    if not snapshot.tail:
        return connection.sql(held)
    rank = _rank(snapshot.preference)
    query = f"""
        WITH mixed AS ({_union(snapshot, snapshot.mixed)}), tail AS ({_union(snapshot, snapshot.tail)})
        {held}
        UNION ALL SELECT {columns} FROM mixed ANTI JOIN tail USING ({_KEY})
        UNION ALL SELECT {columns} FROM (
            SELECT {columns} FROM tail UNION ALL SELECT {columns} FROM mixed SEMI JOIN tail USING ({_KEY})
        ) QUALIFY row_number() OVER (PARTITION BY {_KEY} ORDER BY {rank}, revision DESC) = 1
    """
    return connection.sql(query)


def _union(snapshot: Snapshot, parts: Sequence[Part]) -> str:
    if not parts:
        kinds = {name: _DUCKDB_TYPES.get(str(kind), "TIMESTAMPTZ") for name, kind in OBSERVATION.items()}
        return f"SELECT {', '.join(f'NULL::{kind} AS {_name(name)}' for name, kind in kinds.items())} WHERE false"
    return " UNION ALL ".join(_select(part, snapshot.wanted) for part in parts)


def _select(part: Part, wanted: Wanted) -> str:
    columns = ", ".join(f"{_text(part.grain)} AS grain" if name == "grain" else _name(name) for name in OBSERVATION)
    files = ", ".join(_text(path) for path in part.paths)
    kept = [f"revision > {part.above}"]
    for name, words in (("site", wanted.sites), ("factor", wanted.factors), ("basis", wanted.bases)):
        if words is not None:
            kept.append(f"{name} IN ({', '.join(map(_text, words)) or 'NULL'})")
    kept += [f"time >= {_moment(wanted.start)}"] if wanted.start else []
    kept += [f"time < {_moment(wanted.end)}"] if wanted.end else []
    if isinstance(wanted.as_of, int):
        kept.append(f"revision <= {wanted.as_of}")
    elif wanted.as_of is not None:
        kept.append(f"received <= {_moment(wanted.as_of)}")
    return f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning=false) WHERE {' AND '.join(kept)}"


def _rank(preference: Sequence[str]) -> str:
    if not preference:
        return "0"
    whens = " ".join(f"WHEN {_text(source)} THEN {at}" for at, source in enumerate(preference))
    return f"CASE source {whens} ELSE {len(preference)} END"


def _name(name: str) -> str:
    return f'"{name}"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _moment(moment: datetime) -> str:
    return f"TIMESTAMPTZ {_text(moment.isoformat())}"


def spark_frame(snapshot: Snapshot, session: SparkSession) -> SparkFrame:
    """Return the snapshot as a Spark frame."""
    held = _spark_union(snapshot, snapshot.held, session)
    if not snapshot.tail:
        return held
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    mixed = _spark_union(snapshot, snapshot.mixed, session)
    tail = _spark_union(snapshot, snapshot.tail, session)
    key = list(KEY)
    keys = tail.select(*key).distinct()
    rank: Any = sql.lit(len(snapshot.preference))
    for at, source in reversed(list(enumerate(snapshot.preference))):
        rank = sql.when(sql.col("source") == source, sql.lit(at)).otherwise(rank)
    window = Window.partitionBy(*key).orderBy(rank, sql.col("revision").desc())
    candidates = tail.unionByName(mixed.join(keys, key, "left_semi").select(*OBSERVATION))
    resolved = candidates.withColumn("_place", sql.row_number().over(window)).filter("_place = 1").drop("_place")
    kept = mixed.join(keys, key, "left_anti").select(*OBSERVATION)
    return held.unionByName(kept).unionByName(resolved)


def _spark_union(snapshot: Snapshot, parts: Sequence[Part], session: SparkSession) -> SparkFrame:
    if not parts:
        kinds = {"Float64": "double", "Int64": "bigint", "String": "string"}
        schema = ", ".join(f"`{name}` {kinds.get(str(kind), 'timestamp')}" for name, kind in OBSERVATION.items())
        return session.createDataFrame([], schema)
    return reduce(lambda one, other: one.unionByName(other), [_spark_part(part, snapshot, session) for part in parts])


def _spark_part(part: Part, snapshot: Snapshot, session: SparkSession) -> SparkFrame:
    from pyspark.sql import functions as sql

    wanted = snapshot.wanted
    frame = session.read.option("recursiveFileLookup", "true").parquet(*part.paths)
    frame = frame.withColumn("grain", sql.lit(part.grain)).select(*OBSERVATION).filter(sql.col("revision") > part.above)
    for name, words in (("site", wanted.sites), ("factor", wanted.factors), ("basis", wanted.bases)):
        if words is not None:
            frame = frame.filter(sql.col(name).isin(list(words)))
    if wanted.start is not None:
        frame = frame.filter(sql.col("time") >= sql.lit(wanted.start))
    if wanted.end is not None:
        frame = frame.filter(sql.col("time") < sql.lit(wanted.end))
    if isinstance(wanted.as_of, int):
        frame = frame.filter(sql.col("revision") <= wanted.as_of)
    elif wanted.as_of is not None:
        frame = frame.filter(sql.col("received") <= sql.lit(wanted.as_of))
    return frame
