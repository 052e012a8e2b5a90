"""One spelling for words that people write in many ways: zones, periods, uses of land."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError


def canonical(frame: nw.LazyFrame[Any], column: str, words: Mapping[str, str]) -> nw.LazyFrame[Any]:
    """Return `frame` with one spelling in `column`; null stays null.

    Raises
    ------
    InputError
        If a word is not known.
    """
    text = frame.with_columns(nw.col(column).cast(nw.String).alias(column))
    present = text.select(column).unique().collect().to_dict(as_series=False)[column]
    written = {word: words.get(str(word).strip()) for word in present if word is not None}
    unknown = sorted(str(word) for word, meaning in written.items() if meaning is None)
    if unknown:
        allowed = "、".join(dict.fromkeys(words.values()))
        raise InputError(
            f"列 {column} 中的“{'、'.join(unknown)}”无法识别：应为 {allowed} 之一。",
            f'Column {column} has "{", ".join(unknown)}", which is not known: it should be one of {allowed}.',
            field=column,
        )
    if not written:
        return text
    return text.with_columns(nw.col(column).replace_strict(written, default=None, return_dtype=nw.String).alias(column))
