"""A chunk of rows into observations: every cell read, set aside as empty, or rejected with its reason.

Nothing is dropped without being counted: cells read = observations + rejected + empty + overtaken by a later row of
the same chunk. Sentinels go out before any unit is changed, since -9999 divided by 1000 looks like a value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from qinglan.catalogue import factors, flags
from qinglan.core import units
from qinglan.core.interval import Basis
from qinglan.gateways.files.layouts import Layout, feed_types
from qinglan.gateways.files.mapping import Mapping
from qinglan.gateways.files.reading import Chunk
from qinglan.gateways.files.times import Clock, parse_times
from qinglan.gateways.files.values import conversions, narrow, read_qualifiers, read_values
from qinglan.observations.schema import LONGEST_ID

REJECTS: Final = {"row": pl.Int64, "field": pl.String, "value": pl.String, "fault": pl.String, "measurements": pl.Int64}
_KEY: Final = ["site", "factor", "time"]
_CONTENT: Final = ["value", "qualifier", "limit", "flag"]
# Temperatures and wind components: here -9 and -1 are values.
_MAY_BE_NEGATIVE: Final = ("a01", "w01010")
_SMALL: Final = 50.0
_SHOWN: Final = 200


@dataclass(frozen=True)
class Rules:
    """What holds for every chunk of one table."""

    layout: Layout
    clock: Clock
    basis: Basis
    mapping: Mapping = field(default_factory=Mapping)


@dataclass(frozen=True)
class Cleaned:
    """What became of one chunk.

    Attributes
    ----------
    observations
        Rows for the lake, each key once: the last row of the file's.
    rejects
        ``row, field, value, fault, measurements``; a row without a time or site is one line for all its cells.
    read, empty
        Cells looked at, and those that hold no measurement.
    repeated, revised
        Rows overtaken by a later row of the chunk that says the same, or something else.
    sentinels
        How many of the empty held a number that means "no value".
    """

    observations: pl.DataFrame
    rejects: pl.DataFrame
    read: int
    empty: int
    repeated: int
    revised: int
    sentinels: int

    @property
    def rejected(self) -> int:
        """Number of cells rejected."""
        return int(self.rejects["measurements"].sum())


def clean(chunk: Chunk, rules: Rules) -> Cleaned:
    """Return the observations in a chunk, and what of it could not become one."""
    broken = chunk.broken.select(
        "row",
        pl.lit(None, pl.String).alias("field"),
        "value",
        pl.lit("row_fields").alias("fault"),
        pl.col("lines").alias("measurements"),
    ).cast(REJECTS)  # type: ignore[arg-type]
    texts = [name for name in chunk.rows.columns if name != "row"]
    rows = chunk.rows.filter(~pl.all_horizontal(pl.col(texts).fill_null("").str.strip_chars() == ""))
    cells = _cells(_placed(rows, rules), rules)
    row_rejects = _row_rejects(cells.filter(pl.col("row_fault").is_not_null()), rules)
    judged = _judged(cells.filter(pl.col("row_fault").is_null()), rules)
    of_bad_rows = cells.filter(pl.col("row_fault").is_not_null())
    cell_rejects = judged.filter(pl.col("fault").is_not_null()).select(
        "row",
        "field",
        pl.col("shown").str.slice(0, _SHOWN).alias("value"),
        "fault",
        pl.lit(1, pl.Int64).alias("measurements"),
    )
    rejects = pl.concat([broken, row_rejects, cell_rejects.cast(REJECTS)]).sort("row", maintain_order=True)  # type: ignore[arg-type]
    kept, repeated, revised = _last_of_each(judged.filter(pl.col("fault").is_null() & ~pl.col("empty")))
    observations = kept.select(
        "site",
        "factor",
        pl.lit(rules.clock.grain).alias("grain"),
        "time",
        pl.lit(rules.basis).alias("basis"),
        *_CONTENT,
    )
    return Cleaned(
        observations,
        rejects,
        read=len(cells) + int(chunk.broken["lines"].sum()),
        empty=int(judged["empty"].sum()) + int(of_bad_rows["blank"].sum()),
        repeated=repeated,
        revised=revised,
        sentinels=int(judged["sentinel"].sum()),
    )


def _placed(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Add what holds for a whole row: ``site, time, named`` (the factor it names) and ``row_fault``."""
    roles, mapping = rules.layout.roles, rules.mapping
    moment = (
        pl.concat_str(
            [pl.col(f"c{roles[role]}").fill_null("").str.strip_chars() for role in ("date", "hour") if role in roles],
            separator=" ",
        )
        if "date" in roles
        else pl.col(f"c{roles['time']}")
    )
    rows = rows.with_columns(
        moment=moment,
        named=pl.col(f"c{roles['factor']}") if "factor" in roles else pl.lit(None, pl.String),
        site=_site(roles, mapping),
    )
    times = parse_times(rows["moment"], rules.clock).rename({"text": "moment", "fault": "time_fault"})
    named = rows.select("named").unique().filter(pl.col("named").is_not_null())
    known = _known_factors(named["named"].to_list(), rules)
    rows = rows.join(times, on="moment", how="left", nulls_equal=True, maintain_order="left").join(
        known, on="named", how="left", maintain_order="left"
    )
    lacks_factor = "factor" in roles
    return rows.with_columns(
        row_fault=pl.when(pl.lit(rules.layout.kind != "national-feed") & (pl.col("site").fill_null("") == ""))
        .then(pl.lit("site_blank"))
        .when(pl.col("site").str.len_chars() > LONGEST_ID)
        .then(pl.lit("site_long"))
        .when(pl.col("time_fault").is_not_null())
        .then(pl.col("time_fault"))
        .when(pl.lit(lacks_factor) & (pl.col("named").fill_null("").str.strip_chars() == ""))
        .then(pl.lit("factor_blank"))
        .when(pl.lit(lacks_factor) & pl.col("factor").is_null())
        .then(pl.lit("factor_unknown"))
    )


def _site(roles: dict[str, int], mapping: Mapping) -> pl.Expr:
    if "site" not in roles:
        return pl.lit(mapping.site, pl.String)
    parts = [
        pl.col(f"c{position}").fill_null("").str.strip_chars() for role, position in roles.items() if _of_site(role)
    ]
    return pl.concat_str(parts, separator="/").str.strip_chars("/ ").replace(mapping.sites)


def _of_site(role: str) -> bool:
    return role == "site" or role.startswith("site ")


def _known_factors(names: list[str], rules: Rules) -> pl.DataFrame:
    if rules.layout.kind == "national-feed":
        given = {factors.folded(name): factor for name, (factor, _) in feed_types().items()}
        said: dict[str, str] = {}
    else:
        given = {}
        said = {factors.folded(name): factors.get(factor).id for name, factor in rules.mapping.factors.items()}
    found = {name: said.get(factors.folded(name)) or given.get(factors.folded(name)) for name in names}
    if rules.layout.kind != "national-feed":
        resolved = factors.resolve(names)
        found = {name: factor or resolved.get(name) for name, factor in found.items()}
    return pl.DataFrame(
        {"named": list(found), "factor": list(found.values())}, schema={"named": pl.String, "factor": pl.String}
    )


def _cells(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Return one row for each cell that should hold a number, with its text, field, factor, site and given unit."""
    layout = rules.layout
    asides = [f"c{layout.roles[role]}" for role in ("unit", "qualifier", "flag", "limit") if role in layout.roles]
    aside_names = [role for role in ("unit", "qualifier", "flag", "limit") if role in layout.roles]
    measured = [f"c{position}" for position in layout.measured]
    cells = (
        rows.with_columns(
            pl.col(column).alias(f"given_{role}") for role, column in zip(aside_names, asides, strict=True)
        )
        .unpivot(
            on=measured,
            index=[
                "row",
                "site",
                "moment",
                "named",
                "time",
                "factor",
                "row_fault",
                *(f"given_{r}" for r in aside_names),
            ],
            variable_name="column",
            value_name="text",
        )
        .join(_columns(rules), on="column", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("column_site", "site").alias("site"),
            pl.coalesce("column_factor", "factor").alias("factor"),
            *(
                pl.lit(None, pl.String).alias(f"given_{role}")
                for role in ("unit", "qualifier", "flag", "limit")
                if role not in layout.roles
            ),
        )
    )
    return cells.with_columns(read_values(pl.col("text")))


def _columns(rules: Rules) -> pl.DataFrame:
    mapping = rules.mapping
    said = {factors.folded(name): unit for name, unit in mapping.units.items()}
    rows = [
        (
            f"c{position}",
            column.header,
            column.factor,
            None if column.site is None else mapping.sites.get(column.site, column.site),
            said.get(factors.folded(column.header)) or column.unit,
        )
        for position, column in rules.layout.measured.items()
    ]
    names = ["column", "field", "column_factor", "column_site", "column_unit"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _row_rejects(cells: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    layout = rules.layout
    time_field = layout.title("time") if "time" in layout.roles else layout.title("date")
    shown = (
        pl.when(pl.col("row_fault").str.starts_with("site"))
        .then(pl.struct(pl.lit(layout.title("site")).alias("field"), pl.col("site").alias("value")))
        .when(pl.col("row_fault").str.starts_with("time"))
        .then(pl.struct(pl.lit(time_field).alias("field"), pl.col("moment").alias("value")))
        .otherwise(pl.struct(pl.lit(layout.title("factor")).alias("field"), pl.col("named").alias("value")))
    )
    return (
        cells.filter(~pl.col("blank"))
        .group_by("row", maintain_order=True)
        .agg(shown.first().alias("shown"), pl.col("row_fault").first().alias("fault"), pl.len().alias("measurements"))
        .select(
            "row",
            pl.col("shown").struct.field("field"),
            pl.col("shown").struct.field("value").fill_null("").str.slice(0, _SHOWN),
            "fault",
            "measurements",
        )
        .cast(REJECTS)  # type: ignore[arg-type]
    )


def _judged(cells: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Add ``value, qualifier, limit, flag`` in the factor's own unit, and ``empty``, ``sentinel``, ``fault``."""
    mapping = rules.mapping
    qualifier, unknown_qualifier = read_qualifiers(pl.col("given_qualifier"))
    flag_ids = _flag_ids(mapping)
    given_flag = pl.col("given_flag").fill_null("").str.strip_chars()
    limit = narrow(pl.col("given_limit")).str.replace_all(",", "", literal=True)
    may_be_negative = pl.any_horizontal(pl.col("factor").str.starts_with(start) for start in _MAY_BE_NEGATIVE)
    sentinel = pl.col("number").is_in([float(one) for one in mapping.sentinels]) & pl.col("sign").is_null()
    cells = cells.with_columns(
        unit=pl.coalesce(
            pl.col("suffix"),
            pl.when(narrow(pl.col("given_unit")) != "").then(narrow(pl.col("given_unit"))),
            pl.col("column_unit"),
            _unit_of_factor(rules),
        ),
        named_qualifier=qualifier,
        unknown_qualifier=unknown_qualifier,
        named_flag=given_flag.replace_strict(
            list(flag_ids), list(flag_ids.values()), default="unknown", return_dtype=pl.String
        ),
        named_limit=limit.cast(pl.Float64, strict=False),
        unknown_limit=(limit != "") & ~limit.cast(pl.Float64, strict=False).is_finite().fill_null(False),
        may_be_negative=may_be_negative,
    ).with_columns(
        sentinel=(sentinel & ((pl.col("number").abs() >= _SMALL) | ~pl.col("may_be_negative"))).fill_null(False),
        not_detected=pl.col("not_detected") | (pl.col("named_qualifier") == "ND").fill_null(False),
    )
    own_units = {factor.id: factor.unit for factor in factors.all_factors()}
    cells = cells.join(
        conversions(cells.select("factor", "unit"), own_units),
        on=["factor", "unit"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    number = pl.when(~pl.col("not_detected")).then(pl.col("number"))
    converted = cells.with_columns(
        value=number * pl.col("times") / pl.col("by"),
        limit=pl.col("named_limit") * pl.col("times") / pl.col("by"),
        qualifier=pl.when(pl.col("not_detected")).then(pl.lit("ND")).otherwise(pl.coalesce("sign", "named_qualifier")),
        flag=pl.when(pl.col("named_flag") != "").then(pl.col("named_flag")),
        empty=(pl.col("blank") & pl.col("named_qualifier").is_null()) | pl.col("sentinel"),
    ).with_columns(limit=pl.coalesce("limit", pl.when(pl.col("qualifier") == "<").then(pl.col("value"))))
    return converted.with_columns(_fault(rules.layout)).with_columns(
        pl.col("found").struct.field("fault"),
        pl.coalesce(pl.col("found").struct.field("field"), pl.col("field")).alias("field"),
        pl.col("found").struct.field("shown").fill_null("").alias("shown"),
    )


def _fault(layout: Layout) -> pl.Expr:
    def fault(name: str, role: str | None, shown: str) -> pl.Expr:
        title = layout.title(role) if role is not None else None
        return pl.struct(
            pl.lit(name).alias("fault"), pl.lit(title, pl.String).alias("field"), pl.col(shown).alias("shown")
        )

    readable = pl.col("blank") | pl.col("not_detected") | pl.col("number").is_finite().fill_null(False)
    unit_field = (
        pl.when(pl.col("suffix").is_null() & pl.lit("unit" in layout.roles))
        .then(fault("unit_unknown", "unit", "unit"))
        .otherwise(fault("unit_unknown", None, "text"))
    )
    return (
        pl.when(pl.col("empty"))
        .then(None)
        .when(~readable)
        .then(fault("value_unreadable", None, "text"))
        .when(pl.col("unknown_qualifier"))
        .then(fault("qualifier_unknown", "qualifier", "given_qualifier"))
        .when(pl.col("unknown_limit"))
        .then(fault("limit_unreadable", "limit", "given_limit"))
        .when(pl.col("named_flag") == "unknown")
        .then(fault("flag_unknown", "flag", "given_flag"))
        .when(~pl.col("known"))
        .then(unit_field)
        .when((pl.col("value") < 0) & ~pl.col("may_be_negative"))
        .then(fault("value_negative", None, "text"))
        .when(pl.col("value").is_infinite())
        .then(fault("value_unreadable", None, "text"))
    ).alias("found")


def _unit_of_factor(rules: Rules) -> pl.Expr:
    if rules.layout.kind == "national-feed":
        given = {factor: unit for factor, unit in feed_types().values() if unit}
    else:
        named = {name: factors.find(name) for name in rules.mapping.units}
        given = {found.id: rules.mapping.units[name] for name, found in named.items() if found is not None}
    return pl.col("factor").replace_strict(list(given), list(given.values()), default=None, return_dtype=pl.String)


def _flag_ids(mapping: Mapping) -> dict[str, str]:
    known = {identifier: identifier for identifier in flags.all_flags()}
    said = {text: (identifier or "") for text, identifier in mapping.flags.items()}
    # "N" is the wire's word for a normal value, which the lake writes as no flag at all.
    return known | {"": "", "N": ""} | said


def _last_of_each(good: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """Return each key's last row, and how many earlier rows said the same or something else as the next one."""
    if good.select(pl.struct(_KEY).n_unique()).item() == len(good):
        return good, 0, 0
    following = good.sort("row", maintain_order=True).with_columns(
        pl.col("row").shift(-1).over(_KEY).alias("next_row"),
        *(pl.col(name).shift(-1).over(_KEY).alias(f"next_{name}") for name in _CONTENT),
    )
    overtaken = following.filter(pl.col("next_row").is_not_null())
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"next_{name}")) for name in _CONTENT)
    repeated = int(overtaken.select(same.sum()).item())
    return following.filter(pl.col("next_row").is_null()), repeated, len(overtaken) - repeated


def check_units(rules: Rules) -> None:
    """Refuse a unit of the header or the mapping that the factor it is given for cannot have.

    Raises
    ------
    InputError
        If a unit is unknown or of another kind.
    """
    own = {factor.id: factor.unit for factor in factors.all_factors()}
    for column in rules.layout.measured.values():
        said = {factors.folded(name): unit for name, unit in rules.mapping.units.items()}
        unit = said.get(factors.folded(column.header)) or column.unit
        if column.factor is not None and unit is not None:
            units.factor_between(unit, own[column.factor])
    for name, unit in rules.mapping.units.items():
        factor = factors.find(name)
        if factor is not None:
            units.factor_between(unit, factor.unit)
    for identifier in rules.mapping.flags.values():
        if identifier is not None:
            flags.flag(identifier)
