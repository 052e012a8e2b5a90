"""Rivers and lakes told apart by the classes that were published for them."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import Opened, opened
from qinglan.standards.water.sections import classified

_PUBLISHED = "published class"


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
    met = (nw.col("grade") == nw.col(_PUBLISHED)).fill_null(value=False).cast(nw.Int64)
    both = []
    for kind in ("river", "lake"):
        judged = classified(Opened(told, given.back), ("site", "time", _PUBLISHED), kind, None)
        both.append(
            judged.with_columns(met.alias("met"))
            .group_by("site")
            .agg(nw.col("met").sum().cast(nw.Int64).alias(f"as_{kind}"), nw.len().cast(nw.Int64).alias("samples"))
        )
    joined = both[0].join(both[1].select("site", "as_lake"), on="site", how="left")
    lake = nw.col("as_lake") > nw.col("as_river")
    kind_name = nw.when(lake).then(nw.lit("lake")).otherwise(nw.lit("river"))
    return given.give(joined.select("site", kind_name.alias("kind"), "as_river", "as_lake", "samples"))
