"""Computed fields: a subset of CEL, parsed by its library and worked out here with null as unknown.

What needs a value that is blank is blank itself: never true, never zero. ``false && blank`` is false and
``true || blank`` is true, as in SQL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from celpy.celparser import CELParseError, CELParser
from lark import Token, Tree

from qinglan.core.errors import DeclarationError

_PASSED = frozenset({"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary"}) | {
    "member",
    "primary",
    "paren_expr",
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "addition_add": lambda left, right: left + right,
    "addition_sub": lambda left, right: left - right,
    "multiplication_mul": lambda left, right: left * right,
    "multiplication_div": lambda left, right: left / right,
    "multiplication_mod": math.fmod,
}
_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "relation_lt": lambda left, right: left < right,
    "relation_le": lambda left, right: left <= right,
    "relation_gt": lambda left, right: left > right,
    "relation_ge": lambda left, right: left >= right,
    "relation_eq": lambda left, right: left == right,
    "relation_ne": lambda left, right: left != right,
    "relation_in": lambda left, right: left in right,
}
_FUNCTIONS = {"has": 1, "size": 1}
_UNREADABLE = (TypeError, ZeroDivisionError, OverflowError, ValueError)


class Expression:
    """One expression, parsed once.

    Examples
    --------
    >>> area = Expression("width * length")
    >>> area.value({"width": 2.0, "length": 3.5}), area.value({"width": 2.0})
    (7.0, None)
    >>> Expression("has(closed) || stock > 10.0").value({"stock": None, "closed": "2024-01-01"})
    True
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = _parsed(text)
        self.names = frozenset(_names(self._tree))

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return what it is for the values of one record; None where it is unknown."""
        found = _value(self._tree, values)
        return None if isinstance(found, float) and not math.isfinite(found) else found


@cache
def expression(text: str) -> Expression:
    """Return the expression of a text, parsed at its first use only."""
    return Expression(text)


def _parsed(text: str) -> Tree[Token]:
    try:
        tree: Tree[Token] = CELParser().parse(text)
    except CELParseError as error:
        raise DeclarationError(f"算式“{text}”无法读懂。", f'The expression "{text}" cannot be read.') from error
    for node in tree.iter_subtrees():
        _refuse_unknown(node, text)
    return tree


def _refuse_unknown(node: Tree[Token], text: str) -> None:
    name = str(node.data)
    known = name in _PASSED or name in _ARITHMETIC or name in _RELATIONS
    if not known and name not in {"literal", "ident", "ident_arg", "exprlist", "list_lit", "unary_not", "unary_neg"}:
        raise DeclarationError(
            f"算式“{text}”用了不支持的写法（{name}）。", f'The expression "{text}" uses what is not supported ({name}).'
        )
    if name == "ident_arg":
        function, arguments = str(node.children[0]), node.children[1]
        wanted = _FUNCTIONS.get(function)
        if wanted is None or not isinstance(arguments, Tree) or len(arguments.children) != wanted:
            raise DeclarationError(
                f"算式“{text}”中的 {function}() 不可用，只有 has(字段)、size(字段)。",
                f'{function}() in the expression "{text}" is not known; there are has(field) and size(field).',
            )


def _names(tree: Tree[Token]) -> Iterator[str]:
    for node in tree.iter_subtrees():
        if node.data == "ident":
            yield str(node.children[0])


def _value(node: Any, values: Mapping[str, Any]) -> Any:
    name, children = str(node.data), node.children
    if name == "expr" and len(children) == 3:
        asked = _value(children[0], values)
        return None if asked is None else _value(children[1] if asked is True else children[2], values)
    if name in {"conditionalor", "conditionaland"} and len(children) == 2:
        return _connected(_value(children[0], values), _value(children[1], values), either=name == "conditionalor")
    if name in {"relation", "addition", "multiplication"} and len(children) == 2:
        operation = str(children[0].data)
        left, right = _value(children[0].children[0], values), _value(children[1], values)
        return _applied(_ARITHMETIC.get(operation) or _RELATIONS[operation], left, right)
    if name == "unary" and len(children) == 2:
        inner = _value(children[1], values)
        if inner is None:
            return None
        return (not inner) if str(children[0].data) == "unary_not" else -inner
    if name == "ident":
        return _plain(values.get(str(children[0])))
    if name == "ident_arg":
        inner = _value(children[1].children[0], values)
        if str(children[0]) == "has":
            return inner is not None and inner != []
        return None if inner is None else len(inner)
    if name == "literal":
        return _literal(children[0])
    if name == "list_lit":
        return [_value(child, values) for child in (children[0].children if children else ())]
    return _value(children[0], values)


def _connected(left: bool | None, right: bool | None, *, either: bool) -> bool | None:
    if left is either or right is either:
        return either
    return None if left is None or right is None else not either


def _applied(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    try:
        return operation(left, right)
    except _UNREADABLE:
        return None


def _plain(value: Any) -> Any:
    """Return days and moments as text of one form, so that they compare with literals."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _literal(token: Token) -> Any:
    text = str(token)
    if token.type == "BOOL_LIT":
        return text == "true"
    if token.type == "NULL_LIT":
        return None
    if token.type in {"INT_LIT", "UINT_LIT", "FLOAT_LIT"}:
        return float(int(text.rstrip("uU"), 0)) if "0x" in text else float(text.rstrip("uU"))
    return text.strip("\"'")
