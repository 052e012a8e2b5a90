"""Rivers and lakes told apart by the classes that were published for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import narwhals as nw

from qinglan.core.frames import opened
from qinglan.standards.water.classes import chosen_editions, grade_of, judged
from qinglan.standards.water.items import samples

_PUBLISHED = "published class"
_KINDS = ("river", "lake")


def learned_kinds(frame: Any, published: str = "grade") -> Any:
    """Return, for each site, whether the limits of rivers or of lakes explain its published classes better.

    Phosphorus has other limits in lakes, and a feed does not say which a section is. Each sample is judged both ways;
    the kind with more published classes met is the site's. Where neither is better the site counts as a river. The
    result is learned, not looked up: score it on dates it has not seen, and prefer a register of sections.

    Parameters
    ----------
    frame
        As for `section_class`, with the published class (Ⅰ…劣Ⅴ) in a column.
    published
        That column.

    Returns
    -------
    frame
        ``site, kind, as_river, as_lake, samples``: how many published classes each kind meets, of how many.

    Notes
    -----
    依据: GB 3838—2002 表1（总磷）; own method.
    """
    given = opened(frame, ("site", "time", published))
    told = given.frame.filter(~nw.col(published).is_null()).rename({published: _PUBLISHED})
    names = told.collect_schema().names()
    law, method = chosen_editions(told, None)
    held = samples(told, ["site", "time", _PUBLISHED], method.evaluated)
    met = (grade_of(nw.col("water_class")) == nw.col(_PUBLISHED)).fill_null(value=False).cast(nw.Int64)
    for kind in _KINDS:
        judged_so = judged(held, names, kind, law, method).frame.with_columns(met.alias(f"as_{kind}"))
        held = replace(held, frame=judged_so)
    summed = held.frame.group_by("site").agg(
        *(nw.col(f"as_{kind}").sum().cast(nw.Int64).alias(f"as_{kind}") for kind in _KINDS),
        nw.len().cast(nw.Int64).alias("samples"),
    )
    lake = nw.col("as_lake") > nw.col("as_river")
    kind_name = nw.when(lake).then(nw.lit("lake")).otherwise(nw.lit("river"))
    return given.give(summed.select("site", kind_name.alias("kind"), "as_river", "as_lake", "samples"))
