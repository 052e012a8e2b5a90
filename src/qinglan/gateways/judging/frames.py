"""What an evaluator gets: a frame, or a wide table made long a slice at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

SLICE = 100_000
"""Rows of a wide table with values below detection that are made long and judged at a time."""


@dataclass(frozen=True)
class Lengthened:
    """A table with a column an item, made long a slice of rows at a time: a row becomes one for each of its items."""

    beside: pl.DataFrame
    numbers: Mapping[str, pl.DataFrame]

    def slices(self, rows: int) -> Iterator[pl.DataFrame]:
        """Yield the long frames of `rows` rows each."""
        some = any(frame["qualifier"].null_count() < len(frame) for frame in self.numbers.values())
        names = ("value", "qualifier", "limit") if some else ("value",)
        there = pl.col("value").is_not_null() | (pl.col("qualifier").is_not_null() if some else False)
        for start in range(0, len(self.beside), rows):
            beside = self.beside.slice(start, rows)
            parts = [
                beside.with_columns(pl.lit(code).alias("factor"), *(read[name].slice(start, rows) for name in names))
                for code, read in self.numbers.items()
            ]
            tidy = pl.concat(parts).filter(pl.col("sample").is_not_null() & there).drop("sample")
            if not tidy.is_empty():
                yield tidy


@dataclass(frozen=True)
class Frames:
    """What an evaluator gets, whole or in slices of `rows` of the user's rows."""

    held: pl.DataFrame | Lengthened
    rows: int

    def __iter__(self) -> Iterator[pl.DataFrame]:
        if isinstance(self.held, Lengthened):
            yield from self.held.slices(max(self.rows, 1))
        elif not self.held.is_empty():
            yield self.held
