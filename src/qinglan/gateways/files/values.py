"""Numbers as people write them: full-width digits, thousands, units behind them, `<0.01`, `ND`, 未检出."""

from __future__ import annotations

import polars as pl

from qinglan.core import units
from qinglan.core.errors import InputError

# No measurement at all; compared after width and case are folded.
BLANKS = (
    *("", "-", "--", "---", "—", "——", "―", "–", "/", "//", "\\", "*", "?", ".", "na", "n/a", "#n/a", "#value!"),
    *(
        "#div/0!",
        "nan",
        "null",
        "none",
        "nil",
        "无",
        "缺",
        "缺测",
        "缺失",
        "无数据",
        "无效",
        "停电",
        "未监测",
        "nodata",
    ),
)
# Measured, and below what the method can detect.
NOT_DETECTED = ("nd", "n.d.", "n.d", "未检出", "<lod", "<mdl", "<dl", "<检出限", "低于检出限", "bdl", "<rl")
QUALIFIERS = {"<": "<", ">": ">", "l": "<", **dict.fromkeys(NOT_DETECTED, "ND")}

_NUMBER = (
    r"^(?P<sign><|>)?\s*(?P<number>[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)"
    r"\s*(?P<suffix>[^\d\s.,<>+-].*)?$"
)


def narrow(text: pl.Expr) -> pl.Expr:
    """Return a text with narrow digits and signs and without blanks around it."""
    return text.fill_null("").str.normalize("NFKC").str.replace_all("\u2212", "-", literal=True).str.strip_chars()


def read_values(text: pl.Expr) -> list[pl.Expr]:
    """Return the expressions ``number, sign, suffix, blank, not_detected`` of a text column.

    ``number`` is null where the text is no number; ``sign`` is ``<``, ``>`` or null; ``suffix`` is the unit
    written behind the number. ``0.01L`` is the custom of Chinese laboratories for "less than 0.01".
    """
    written = narrow(text)
    folded = written.str.to_lowercase().str.replace_all(r"\s", "")
    groups = written.str.extract_groups(_NUMBER)
    suffix = groups.struct.field("suffix").str.strip_chars()
    less = suffix.is_in(["L", "(L)"]).fill_null(False)
    return [
        groups.struct.field("number")
        .str.replace_all(",", "", literal=True)
        .cast(pl.Float64, strict=False)
        .alias("number"),
        pl.when(less).then(pl.lit("<")).otherwise(groups.struct.field("sign")).alias("sign"),
        pl.when(~less).then(suffix).alias("suffix"),
        folded.is_in(list(BLANKS)).alias("blank"),
        folded.is_in(list(NOT_DETECTED)).alias("not_detected"),
    ]


def read_qualifiers(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the qualifier that a text names (null: none), and whether it is one that nobody knows."""
    folded = narrow(text).str.to_lowercase().str.replace_all(r"\s", "")
    found = folded.replace_strict(list(QUALIFIERS), list(QUALIFIERS.values()), default=None, return_dtype=pl.String)
    blank = folded.is_in([*BLANKS, "=", "1", "检出"])
    return pl.when(~blank).then(found), ~blank & found.is_null()


def conversions(pairs: pl.DataFrame, factor_units: dict[str, str]) -> pl.DataFrame:
    """Return ``factor, unit, times, by, known`` for each distinct pair of factor and given unit.

    A value is multiplied by ``times`` and divided by ``by``: a division by 1000 is exact where a multiplication by
    0.001 is not.
    """
    rows = []
    for factor, unit in pairs.unique().rows():
        times, by, known = 1.0, 1.0, True
        wanted = factor_units.get(factor, "")
        if unit and units.normal(unit) != units.normal(wanted):
            try:
                between = units.factor_between(unit, wanted)
                times, by = (float(between), 1.0) if between >= 1 else (1.0, float(1 / between))
            except InputError:
                known = False
        rows.append((factor, unit, times, by, known))
    return pl.DataFrame(
        rows,
        schema={"factor": pl.String, "unit": pl.String, "times": pl.Float64, "by": pl.Float64, "known": pl.Boolean},
        orient="row",
    )
