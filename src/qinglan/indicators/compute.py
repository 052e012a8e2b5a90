"""Functions that make an indicator's number, registered under the id that the declaration names.

A function takes a `Request` (what, for when, from where) and returns an `Estimate`: the number with everything that
explains it. It reads measurements only through ``request.scan``, so that it runs on a lake or on an example alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol, TypeVar

import polars as pl

from qinglan.catalogue.flags import invalid_flags
from qinglan.core.declare import Title
from qinglan.core.errors import DeclarationError, InputError
from qinglan.core.interval import BEIJING, days_of_year, to_utc
from qinglan.core.rounding import text as printed
from qinglan.indicators.city import Medium, Role, Site
from qinglan.indicators.declare import REPORTED, EditionPolicy, Indicator, Named

T = TypeVar("T")


class Scan(Protocol):
    """Reads observations: filters on the key columns, start included, end not."""

    def __call__(
        self,
        *,
        sites: Sequence[str] | None = None,
        factors: Sequence[str] | None = None,
        grain: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pl.LazyFrame:
        """Return the observations as a lazy frame in the lake's columns."""
        ...


@dataclass(frozen=True)
class Period:
    """A calendar year, or the part of it up to and with `through`."""

    year: int
    through: date | None = None

    @property
    def complete(self) -> bool:
        """Whether it is the whole year."""
        return self.through is None or self.through >= date(self.year, 12, 31)

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, 1, 1)

    @property
    def last(self) -> date:
        """The last day that counts."""
        return date(self.year, 12, 31) if self.complete or self.through is None else self.through

    @property
    def days(self) -> int:
        """How many days it has."""
        return days_of_year(self.year) if self.complete else (self.last - self.first).days + 1

    @property
    def interval(self) -> tuple[datetime, datetime]:
        """``[start, end)`` in UTC; the days are Beijing days."""
        start = datetime.combine(self.first, time(), BEIJING)
        end = datetime.combine(self.last + timedelta(days=1), time(), BEIJING)
        return to_utc(start), to_utc(end)

    @property
    def id(self) -> str:
        """``2024``, or ``2024-06-30`` for the year up to that day."""
        return str(self.year) if self.complete else self.last.isoformat()


@dataclass(frozen=True)
class Request:
    """What a function is asked for.

    Attributes
    ----------
    network
        The network that the period's figure speaks of.
    periods
        All periods of the evaluation, for functions that make several in one go.
    shared
        What the requests of one evaluation keep for each other; see `once`.
    """

    indicator: Indicator
    period: Period
    scan: Scan
    city: str
    network: str = ""
    sites: tuple[Site, ...] = ()
    edition_policy: EditionPolicy = "period_end"
    dust_days: tuple[date, ...] = ()
    periods: tuple[Period, ...] = ()
    shared: dict[Any, Any] = field(default_factory=dict)

    def with_role(self, role: Role, medium: Medium) -> tuple[Site, ...]:
        """Return the sites of a medium that hold `role` at some time of the period."""
        return tuple(
            site
            for site in self.sites
            if site.medium == medium and site.has_role(role, self.period.first, self.period.last)
        )

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """Return what `make` gives, made once for all requests of an evaluation that share ``shared``."""
        if key not in self.shared:
            self.shared[key] = make()
        found: T = self.shared[key]
        return found


@dataclass(frozen=True)
class Used:
    """A series that entered a number."""

    site: str
    factor: str
    grain: str
    basis: str
    rows: int
    first: datetime | None
    last: datetime | None
    revision: int
    simulated: bool


@dataclass(frozen=True)
class Step:
    """One step of the reckoning, to be read by a person."""

    title: Title
    text: str


@dataclass(frozen=True)
class Estimate:
    """A number and everything that explains it; ``value`` None means that it cannot be made, and a note says why."""

    indicator: str
    period: str
    value: float | None
    text: str
    function: str
    edition: str | None = None
    stage: str | None = None
    clause: str | None = None
    policy: str | None = None
    valid: int | None = None
    expected: int | None = None
    basis: str | None = None
    steps: tuple[Step, ...] = ()
    series: tuple[Used, ...] = ()
    notes: tuple[Title, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    method: Named | None = None
    """How it was made, where that is not the method that the target speaks of: the two then do not compare."""

    @property
    def inputs_revision(self) -> int | None:
        """The highest revision among its inputs."""
        return max((used.revision for used in self.series), default=None)

    @property
    def simulated(self) -> bool:
        """Whether any input is simulated."""
        return any(used.simulated for used in self.series)


Function = Callable[[Request], Estimate]
_FUNCTIONS: dict[str, Function] = {}


def function(identifier: str) -> Callable[[Function], Function]:
    """Register the decorated function under the id that declarations name."""

    def register(found: Function) -> Function:
        known = _FUNCTIONS.get(identifier)
        if known is not None and known.__qualname__ != found.__qualname__:
            raise DeclarationError(
                f"计算函数“{identifier}”登记了两次。", f'The function "{identifier}" is registered twice.'
            )
        _FUNCTIONS[identifier] = found
        return found

    return register


def functions() -> tuple[str, ...]:
    """Return the ids of all registered functions."""
    return tuple(sorted(_FUNCTIONS))


def estimate(request: Request) -> Estimate:
    """Return the number that the indicator's declared function makes.

    Raises
    ------
    DeclarationError
        If no function is registered under the declared id.
    """
    found = _FUNCTIONS.get(request.indicator.compute)
    if found is None:
        raise DeclarationError(
            f"指标 {request.indicator.id} 的计算函数“{request.indicator.compute}”没有登记"
            f"（已有：{'、'.join(functions())}）。",
            f'Indicator {request.indicator.id} names the function "{request.indicator.compute}", which is not '
            f"registered (there are: {', '.join(functions())}).",
            file=str(request.indicator.file),
            field="compute",
        )
    return found(request)


def valid_values() -> pl.Expr:
    """Return whether a row of the lake has a value that counts."""
    counts = pl.col("flag").is_null() | ~pl.col("flag").is_in(sorted(invalid_flags()))
    return pl.col("value").is_not_null() & counts


def preferred(frame: pl.DataFrame, bases: Sequence[str]) -> pl.DataFrame:
    """Keep one basis for each site, factor and year of the frame: the first of `bases` that is present.

    Bases are not mixed inside one series: a figure stands on one of them and says which.
    """
    if frame.is_empty():
        return frame
    rank = pl.col("basis").replace_strict({name: place for place, name in enumerate(bases)}, default=None)
    ranked = frame.with_columns(rank.cast(pl.Int32).alias("_rank")).filter(pl.col("_rank").is_not_null())
    return ranked.filter(pl.col("_rank") == pl.col("_rank").min().over("site", "factor")).drop("_rank")


def used(frame: pl.DataFrame) -> tuple[Used, ...]:
    """Return which series a frame of observations holds, for lineage."""
    if frame.is_empty():
        return ()
    summary = (
        frame.group_by("site", "factor", "grain", "basis")
        .agg(
            pl.len().alias("rows"),
            pl.col("time").min().alias("first"),
            pl.col("time").max().alias("last"),
            pl.col("revision").max().alias("revision"),
            (pl.col("source") == "simulated").any().alias("simulated"),
        )
        .sort("site", "factor", "basis")
    )
    return tuple(Used(**row) for row in summary.iter_rows(named=True))


def nothing(request: Request, zh: str, en: str, **more: Any) -> Estimate:
    """Return an estimate without a number, and why."""
    return Estimate(
        indicator=request.indicator.id,
        period=request.period.id,
        value=None,
        text="",
        function=request.indicator.compute,
        policy=request.edition_policy,
        notes=(Title(zh=zh, en=en),),
        **more,
    )


@function(REPORTED)
def reported(request: Request) -> Estimate:
    """Return the yearly figure that was reported: one record of the indicator's own series.

    The series stands at the site named after the network that the year's figure speaks of, else at the city's
    adcode, so that figures of two networks never run together.
    """
    if not request.period.complete:
        return nothing(request, "年度数据，年终后上报。", "A yearly figure, reported after the year's end.")
    start, end = request.period.interval
    yearly = request.once("yearly figures", lambda: request.scan(grain="year").collect())
    counting = yearly.filter(
        valid_values(),
        pl.col("factor") == request.indicator.series,
        pl.col("site").is_in([request.network, request.city]),
        pl.col("time").is_between(start, end, closed="left"),
    )
    own = counting.filter(pl.col("site") == request.network)
    valid = preferred(counting if own.is_empty() else own, (*request.indicator.bases, "estimate"))
    if valid.is_empty():
        return nothing(request, "本年度尚未上报。", "Not reported for this year yet.", valid=0, expected=1)
    if valid.height > 1:
        raise InputError(
            f"{request.indicator.title.zh} {request.period.id} 年有 {valid.height} 条上报值，应只有一条。",
            f"{request.indicator.title.en} has {valid.height} reported values for {request.period.id}; one is right.",
            field=request.indicator.series,
        )
    row = valid.row(0, named=True)
    return Estimate(
        indicator=request.indicator.id,
        period=request.period.id,
        value=float(row["value"]),
        text=printed(row["value"], request.indicator.rounding.decimals),
        function=REPORTED,
        policy=request.edition_policy,
        valid=1,
        expected=1,
        basis=str(row["basis"]),
        steps=(
            Step(
                Title(zh="上报的年度数值", en="The figure reported for the year"),
                f"{row['value']:g} {request.indicator.unit} ({row['source']})",
            ),
        ),
        series=used(valid),
    )
