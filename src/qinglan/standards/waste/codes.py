"""Codes of hazardous waste: their form, whether the list has them, category and hazards; the grade of a producer."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw

from qinglan.core.frames import listed, opened
from qinglan.standards.edition import in_force, named
from qinglan.standards.lookup import amounts, looked_up
from qinglan.standards.signed import signed
from qinglan.standards.waste.tables import HazardousWaste, hazardous_wastes

HAZARDS = {"T": "毒性", "C": "腐蚀性", "I": "易燃性", "R": "反应性", "In": "感染性"}
_FORM = r"^[0-9]{3}-[0-9]{3}-[0-9]{2}$"
_IDENTIFIED = r"^900-000-[0-9]{2}$"
KEY_TONNES, SIMPLE_TONNES = 100, 10


def check_codes(frame: Any, on: date | None = None, edition: str | None = None) -> Any:
    """Return what is wrong with each code of hazardous waste.

    Parameters
    ----------
    frame
        ``code`` (``900-041-49``). Optional: ``category`` (``HW49``), ``hazard`` (``T``, ``T,I`` …) to be compared.
        All other columns are kept.
    on
        The day by whose list the codes are judged; by default the newest list.
    edition
        ``"2021"``, ``"2025"`` instead.

    Returns
    -------
    frame
        The columns given and ``verdict`` (有效, 格式错误, 名录无此代码, 类别不符, 危险特性不符; under the list of 2025
        2021年版有效，待按2025年版核对 or 无法判定), ``list_category, list_name, list_hazard, edition, stage, clause,
        missing, note``.

    Notes
    -----
    依据: 国家危险废物名录 附表. The codes on file are the 467 of 2021; those of 2025 (470) were not seen, so that no
    code is called wrong by them.

    Examples
    --------
    >>> import polars as pl
    >>> check_codes(pl.DataFrame({"code": ["841-001-01", "841-01"]}), edition="2021")["verdict"].to_list()
    ['有效', '格式错误']
    """
    given = opened(frame, ("code",))
    rule = _edition(on, edition)
    names = given.frame.collect_schema().names()
    code = nw.col("code").cast(nw.String).str.strip_chars().str.replace_all("－", "-", literal=True)
    read = given.frame.with_columns(code.alias("_code")).with_columns(
        looked_up(nw.col("_code"), dict(rule.hazards), nw.String).alias("list_hazard"),
        nw.col("_code").str.contains(_FORM).fill_null(value=False).alias("_formed"),
        nw.col("_code").str.contains(_IDENTIFIED).fill_null(value=False).alias("_identified"),
        nw.col("_code").str.slice(8, 2).alias("_number"),
    )
    category = nw.concat_str([nw.lit("HW"), nw.col("_number")])
    marked = read.with_columns(nw.when(nw.col("_formed")).then(category).alias("list_category")).with_columns(
        looked_up(nw.col("list_category"), dict(rule.names), nw.String).alias("list_name")
    )
    return given.give(
        marked.with_columns(_verdict(rule, names).alias("verdict")).select(
            *names,
            "verdict",
            "list_category",
            "list_name",
            "list_hazard",
            *signed(rule),
            nw.when(nw.col("_code").is_null() | (nw.col("_code") == "")).then(nw.lit("code")).alias("missing"),
            _note(rule).alias("note"),
        )
    )


def _edition(on: date | None, edition: str | None) -> HazardousWaste:
    available = hazardous_wastes()
    if edition is not None:
        return named(available, edition)
    return available[-1] if on is None else in_force(available, on)


def _verdict(rule: HazardousWaste, names: list[str]) -> nw.Expr:
    found = nw.lit("2021年版有效，待按2025年版核对" if rule.superseded else "有效")
    if "hazard" in names:
        found = nw.when(_other_hazard()).then(nw.lit("危险特性不符")).otherwise(found)
    if "category" in names:
        given = nw.col("category").cast(nw.String).str.strip_chars().str.to_uppercase()
        other = (given != nw.col("list_category")).fill_null(value=False)
        found = nw.when(other).then(nw.lit("类别不符")).otherwise(found)
    known = ~nw.col("list_hazard").is_null() | (nw.col("_identified") & ~nw.col("list_name").is_null())
    unlisted = "无法判定" if rule.superseded else "名录无此代码"
    found = nw.when(known).then(found).otherwise(nw.lit(unlisted))
    return nw.when(nw.col("_formed")).then(found).otherwise(nw.lit("格式错误"))


def _tokens(column: nw.Expr) -> nw.Expr:
    text = column
    for mark in ("/", "、", "，", ";", "；"):
        text = text.str.replace_all(mark, ",", literal=True)
    return nw.concat_str([nw.lit(","), text.str.replace_all(" ", "", literal=True), nw.lit(",")])


def _other_hazard() -> nw.Expr:
    """Return whether a hazard is given that the list does not have for the code, or none that it knows."""
    given, allowed = _tokens(nw.col("hazard").cast(nw.String)), _tokens(nw.col("list_hazard"))
    wrong, any_known = nw.lit(value=False), nw.lit(value=False)
    for letter in HAZARDS:
        has = given.str.contains(f",{letter},", literal=True)
        wrong = wrong | (has & ~allowed.str.contains(f",{letter},", literal=True))
        any_known = any_known | has
    said = (nw.col("hazard").cast(nw.String).str.strip_chars() != "") & (nw.col("list_hazard") != "")
    return (said & (wrong | ~any_known)).fill_null(value=False)


def _note(rule: HazardousWaste) -> nw.Expr:
    identified = nw.when(nw.col("_identified") & nw.col("list_hazard").is_null()).then(
        nw.lit("经鉴别的危险废物，危险特性以鉴别结论为准")
    )
    open_hazard = identified.when(nw.col("list_hazard") == "").then(nw.lit("该代码的危险特性未收录，不作比较"))
    form = open_hazard.when(~nw.col("_formed")).then(nw.lit("应写作 XXX-XXX-XX（行业代码-顺序号-类别）"))
    if not rule.superseded:
        return form
    unlisted = form.when(nw.col("list_hazard").is_null()).then(nw.lit("不在 2021 年版中，2025 年版代码未收录"))
    return unlisted.otherwise(nw.lit("代码表为 2021 年版，已被 2025 年版替代"))


def producer_grade(frame: Any) -> Any:
    """Return how a producer of hazardous waste is supervised.

    Parameters
    ----------
    frame
        ``site, tonnes`` (a year: the largest of the last three), ``own_facility, licensed`` (true or false).

    Returns
    -------
    frame
        ``site, word`` (重点监管, 简化管理, 登记管理), ``edition, stage, clause, missing, note``.

    Notes
    -----
    依据: HJ 1259—2022 4: 重点监管 from 100 t, or with a facility or licence of its own; 简化管理 from 10 t.

    Examples
    --------
    >>> import polars as pl
    >>> row = pl.DataFrame({"site": ["a"], "tonnes": [99.0], "own_facility": [False], "licensed": [False]})
    >>> producer_grade(row)["word"].item()
    '简化管理'
    """
    given = amounts(frame, ("site", "tonnes", "own_facility", "licensed"), ("tonnes",))
    tonnes = nw.col("tonnes")
    key = nw.col("own_facility") | nw.col("licensed") | (tonnes >= KEY_TONNES)
    word = (
        nw.when(key)
        .then(nw.lit("重点监管"))
        .when(~key & (tonnes >= SIMPLE_TONNES))
        .then(nw.lit("简化管理"))
        .when(~key & (tonnes < SIMPLE_TONNES))
        .then(nw.lit("登记管理"))
    )
    missing = listed([(nw.col(name).is_null(), name) for name in ("tonnes", "own_facility", "licensed")])
    return given.give(
        given.frame.with_columns(word.alias("word")).select(
            "site",
            "word",
            nw.lit("HJ 1259—2022").alias("edition"),
            nw.lit(None, dtype=nw.String).alias("stage"),
            nw.lit("4").alias("clause"),
            missing.alias("missing"),
            nw.when(nw.col("word").is_null()).then(nw.lit("资料不全，无法判定")).alias("note"),
        )
    )
