"""What is said when a command is written wrongly: one sentence naming the option and what would be right."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal, get_args, get_origin

import typer
from pydantic import ValidationError

# Typer carries its own copy of Click; its public names reach the base of every usage error only in this way.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|(\d{2})(\d{2})|年(\d{1,2})月(\d{1,2})日)")
_GIVEN = re.compile(r"'([^']*)'")


def a_date(text: str) -> datetime:
    """Return the day that a person wrote, at midnight.

    Raises
    ------
    ValueError
        If it is no day.

    Examples
    --------
    >>> {a_date(text).date().isoformat() for text in ("2024-03-01", "2024/3/1", "20240301", "2024年3月1日")}
    {'2024-03-01'}
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) for part in found.groups() if part is not None)
    return datetime(year, month, day)  # noqa: DTZ001 - a day of the calendar, of no zone


def sentence(error: Any, language: str) -> str:
    """Return the refusal of a command line in one language, with where its help is."""
    zh, en = _said(error)
    command = getattr(error.ctx, "command_path", "qinglan") if error.ctx is not None else "qinglan"
    return f"{zh}。用法见 {command} --help。" if language == "zh" else f"{en}. See {command} --help."


def _said(error: Any) -> tuple[str, str]:
    message = error.format_message().strip().rstrip(".")
    kind = type(error).__name__
    if kind == "NoSuchOption":
        alike = list(getattr(error, "possibilities", None) or [])
        zh, en = f"没有选项 {error.option_name}", f"There is no option {error.option_name}"
        return (f"{zh}，是否指 {'、'.join(alike)}", f"{en}; is {', '.join(alike)} meant") if alike else (zh, en)
    if kind == "NoSuchCommand" or message.startswith("No such command"):
        given = _first(message)
        group = getattr(error.ctx, "command", None)
        known = sorted(getattr(group, "commands", {}))
        return (
            f"没有命令“{given}”，可用的有：{'、'.join(known)}",
            f'There is no command "{given}"; there are: {", ".join(known)}',
        )
    if kind == "MissingParameter":
        name = _name(error)
        zh, en = _wanted(error)
        return f"缺少 {name}{zh and f'，应为{zh}'}", f"{name} is missing{en and f'; it should be {en}'}"
    if kind == "BadOptionUsage":
        return f"选项 {error.option_name} 后面缺少值或多了值", f"Option {error.option_name}: {message}"
    if isinstance(error, typer.BadParameter):
        name, given = _name(error), _given(error)
        zh, en = _wanted(error)
        if zh:
            return f"{name} 的值“{given}”不可用，应为{zh}", f'The value "{given}" of {name} should be {en}'
        return f"{name} 的值不可用（{error.message}）", message
    if "unexpected extra argument" in message:
        extra = message.rpartition("(")[2].rstrip(")")
        return f"多余的参数：{extra}；含空格的值请加引号", f"Arguments not expected: {extra}; quote values with blanks"
    return f"命令写法有误（{message}）", message


def _first(message: str) -> str:
    found = _GIVEN.search(message)
    return found[1] if found else message


def _given(error: Any) -> str:
    """Return what was written, as the check that refused it knows it."""
    if isinstance(error.__cause__, ValidationError):
        return str(error.__cause__.errors()[0]["input"])
    return _first(str(error.message))


def _name(error: Any) -> str:
    if error.param is None:
        hint = error.param_hint
        return str(hint if isinstance(hint, str) else " / ".join(hint or ())).strip("'")
    if error.param.param_type_name == "option":
        return " / ".join(error.param.opts)
    return str(error.param.metavar or error.param.name.upper())


def _wanted(error: Any) -> tuple[str, str]:
    """Return what the parameter takes, in both languages; blank where its help alone can say."""
    annotation = getattr(getattr(error.param, "type_descriptor", None), "annotation", None)
    kinds = {annotation, *get_args(annotation)}
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    if choices:
        return f" {'、'.join(map(str, choices))} 之一", f"one of {', '.join(map(str, choices))}"
    if datetime in kinds:
        return "日期，如 2024-03-01", "a date such as 2024-03-01"
    found = ("整数", "a whole number") if int in kinds else ("数", "a number") if float in kinds else None
    if found is None:
        return "", ""
    low, high = error.param.min, error.param.max
    if low is not None and high is not None:
        return f"{found[0]}（{low}–{high}）", f"{found[1]} from {low} to {high}"
    if low is not None:
        return f"{found[0]}（不小于 {low}）", f"{found[1]}, at least {low}"
    return found
