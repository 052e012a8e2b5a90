"""What is imported as it is and still said aloud: values that cannot be, and sites that no city pack knows."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import polars as pl

from qinglan.catalogue import factors

_NAMED = 5
# A median of fewer values says nothing about the unit.
_ENOUGH = 10


@dataclass
class Doubts:
    """Gathers, chunk by chunk, what the summary of one file warns about.

    Attributes
    ----------
    registered
        Ids of the sites that the city pack knows, or None where nobody asks.
    """

    registered: Collection[str] | None = None
    _sites: set[str] = field(default_factory=set)
    _beyond: dict[str, tuple[int, float]] = field(default_factory=dict)

    def take(self, observations: pl.DataFrame) -> None:
        """Look at the rows of one chunk; none of them is changed."""
        if self.registered is not None:
            self._sites.update(observations["site"].unique())
        bounds = hard_bounds()
        value, factor = pl.col("value"), pl.col("factor")
        low, high = (
            factor.replace_strict(
                list(bounds), [pair[place] for pair in bounds.values()], default=None, return_dtype=pl.Float64
            )
            for place in (0, 1)
        )
        found = (
            observations.lazy()
            .filter((value < low) | (value > high))
            .group_by("factor")
            .agg(pl.len().alias("count"), value.sort_by(value.abs()).last().alias("extreme"))
            .collect()
        )
        for identifier, count, extreme in found.rows():
            before, most = self._beyond.get(identifier, (0, 0.0))
            self._beyond[identifier] = before + count, max(most, extreme, key=abs)

    def warnings(self) -> list[dict[str, str]]:
        """Return a warning for each factor with values that cannot be, and one for the sites that are not known."""
        said = []
        for identifier, (count, extreme) in sorted(self._beyond.items()):
            low, high = hard_bounds()[identifier]
            factor = factors.get(identifier)
            name = factor.alias or factor.title.zh
            said.append(
                {
                    "factor": identifier,
                    "zh": f"{name} 有 {count:,} 个值超出可能的范围 {low:g}–{high:g} {factor.unit}"
                    f"（最大的为 {extreme:g}），已照原样导入，标记未改："
                    "请核对单位与缺测码（映射文件 units、sentinels）。",
                    "en": f"{count:,} values of {name} are beyond what can be, {low:g}–{high:g} {factor.unit} (the "
                    f"largest is {extreme:g}); they are imported as they are, with their flags: check units and "
                    "sentinels in the mapping.",
                }
            )
        unknown = sorted(self._sites - set(self.registered or ()))
        if unknown:
            listed_zh = "、".join(unknown[:_NAMED]) + (" …" if len(unknown) > _NAMED else "")
            listed_en = ", ".join(unknown[:_NAMED]) + (" …" if len(unknown) > _NAMED else "")
            said.append(
                {
                    "zh": f"{len(unknown):,} 个点位未在城市包登记，不计入城市值：{listed_zh}；"
                    "请在城市包的 sites.yaml 登记，或在映射文件 sites 中对应。",
                    "en": f"{len(unknown):,} sites are not in the city pack and do not enter the city's value: "
                    f"{listed_en}; add them to its sites.yaml, or map them under sites.",
                }
            )
        return said


@cache
def hard_bounds() -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value that a factor can have, each in the factor's own unit.

    Examples
    --------
    >>> hard_bounds()["a34004"]
    (0.0, 5000.0)
    """
    text = files("qinglan.gateways.files").joinpath("hard_bounds.csv").read_text("utf-8")
    return {row["factor"]: (float(row["low"]), float(row["high"])) for row in csv.DictReader(text.splitlines())}


def doubtful_units(medians: Iterable[pl.DataFrame]) -> list[dict[str, str]]:
    """Return a warning for each factor whose median is beyond what a year of a site can have: its unit is doubtful."""
    found: list[dict[str, str]] = []
    whole = pl.concat([medians_of(pl.DataFrame(schema={"factor": pl.String, "value": pl.Float64})), *medians])
    by_factor = whole.group_by("factor").agg(pl.col("median").median(), pl.col("count").sum()).sort("factor")
    for identifier, median, count in by_factor.rows():
        factor = factors.find(identifier)
        if factor is None or factor.plausible is None or count < _ENOUGH or not median:
            continue
        low, high = factor.plausible
        if low <= median <= high:
            continue
        name = factor.alias or factor.title.zh
        found.append(
            {
                "factor": identifier,
                "zh": f"{name} 的中位数 {median:g} {factor.unit} 超出通常范围 {low:g}–{high:g}："
                "请核对单位（映射文件 units）。",
                "en": f"The median of {name}, {median:g} {factor.unit}, is beyond the usual {low:g}–{high:g}: "
                "check the unit (units in the mapping).",
            }
        )
    return found


def contradictions(count: int) -> list[dict[str, str]]:
    """Return the warning that values of a file differ from later ones of the same site, factor and time."""
    if not count:
        return []
    return [
        {
            "zh": f"文件中有 {count:,} 个值与后面同点位、同因子、同时间的值不同，以后者为准；"
            "若是不同地区的同名点位，请在映射文件 columns.site 中写多列，例如 [城市, 点位]。",
            "en": f"{count:,} values differ from a later one of the same site, factor and time in the file, "
            "which counts; if these are sites of one name in several places, name several columns in the mapping "
            "under columns.site, such as [city, station].",
        }
    ]


def medians_of(observations: pl.DataFrame) -> pl.DataFrame:
    """Return ``factor, median, count`` of a chunk."""
    return (
        observations.filter(pl.col("value").is_not_null())
        .group_by("factor")
        .agg(pl.col("value").median().alias("median"), pl.len().cast(pl.Int64).alias("count"))
    )
