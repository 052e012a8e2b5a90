"""Rounding as the clauses say it, on decimal numbers and never on binary ones.

依据: GB/T 8170—2008 3.2 (四舍六入五成双): half goes to the even neighbour.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal

Number = int | float | str | Decimal
# The usual 28 digits would refuse a large number; every float fits in these.
_ALL_DIGITS = Context(prec=400)


def exact(number: Number) -> Decimal:
    """Return the decimal number that a person reads: ``1.15`` is 1.15, not its binary neighbour."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


def half_even(number: Number, decimals: int = 0) -> Decimal:
    """Round half to even at `decimals` places.

    Examples
    --------
    >>> half_even(2.5), half_even(3.5), half_even(1.15, 1)
    (Decimal('2'), Decimal('4'), Decimal('1.2'))
    """
    return exact(number).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN, context=_ALL_DIGITS)


def up(number: Number, decimals: int = 0) -> Decimal:
    """Round up (towards positive infinity) at `decimals` places.

    Examples
    --------
    >>> up(82.1)
    Decimal('83')
    """
    return exact(number).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_CEILING, context=_ALL_DIGITS)


def text(number: Number | None, decimals: int) -> str:
    """Return the number as it is printed: rounded half to even, all declared places shown.

    Examples
    --------
    >>> text(82.5, 2), text(None, 1)
    ('82.50', '')
    """
    return "" if number is None else format(half_even(number, decimals), "f")
