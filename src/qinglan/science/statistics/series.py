"""What all functions on a series ask of it first."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qinglan.core.errors import InputError


def numbers(values: ArrayLike, field: str = "values") -> NDArray[np.float64]:
    """Return values as an array of real numbers.

    Raises
    ------
    InputError
        If they are not one row of numbers, or one is missing or infinite.
    """
    given = row(values, field)
    wrong = np.flatnonzero(~np.isfinite(given))
    if len(wrong):
        raise InputError(
            f"{field} 的第 {wrong[0] + 1} 个值缺失或不是有限数；请先去掉缺失的时段，或按中断分段。",
            f"Value {wrong[0] + 1} of {field} is missing or not finite; leave out periods without a value.",
            field=field,
        )
    return given


def row(values: ArrayLike, field: str = "values") -> NDArray[np.float64]:
    """Return values as an array of real numbers in which missing ones are NaN."""
    try:
        given = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{field} 应当全是数字：{error}。", f"{field} should all be numbers: {error}.", field=field
        ) from error
    if given.ndim != 1:
        raise InputError(
            f"{field} 应当是一列数，收到 {given.ndim} 维。",
            f"{field} should be one row of numbers; it has {given.ndim} dimensions.",
            field=field,
        )
    return given
