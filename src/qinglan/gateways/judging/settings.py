"""What is said for a whole file: the evaluator's settings, read and checked."""

from __future__ import annotations

from datetime import date, datetime
from typing import cast

from qinglan.core.errors import InputError
from qinglan.gateways.judging.declare import Judgement

_OPTIONS = ("stamp", "on")


def settings_of(judgement: Judgement, settings: dict[str, str]) -> dict[str, object]:
    """Return the evaluator's arguments that hold for the whole file; `settings` keeps those of columns."""
    arguments: dict[str, object] = dict(judgement.arguments)
    unknown = [name for name in settings if name not in judgement.columns and name not in judgement.parameters]
    if unknown:
        allowed = "、".join((*judgement.columns, *judgement.parameters))
        raise InputError(
            f"{judgement.title.zh}没有可写明的“{unknown[0]}”，可写：{allowed}。",
            f'{judgement.title.en} has no "{unknown[0]}" to be said; there are: {allowed}.',
            field=unknown[0],
        )
    for name, parameter in judgement.parameters.items():
        said = settings.pop(name, None)
        if said is None:
            if parameter.required:
                option = f"--{name}" if name in _OPTIONS else f"--set {name}="
                words = "、".join(f"{word}（{also[0]}）" if also else word for word, also in parameter.words.items())
                raise InputError(
                    f"{judgement.title.zh}要写明{parameter.title.zh}：{option} …{words and '，可为 ' + words}。",
                    f"{judgement.title.en} needs {parameter.title.en}: {option} …"
                    f"{words and ', one of ' + ', '.join(parameter.words)}.",
                    field=name,
                )
            continue
        found = _parameter(judgement, name, said)
        if parameter.into is None:
            arguments[name] = found
        else:
            outer, _, inner = parameter.into.partition(".")
            arguments[outer] = {**cast("dict[str, object]", arguments.get(outer, {})), inner: found}
    return arguments


def _parameter(judgement: Judgement, name: str, said: str) -> object:
    parameter = judgement.parameters[name]
    if parameter.type == "date":
        return _date(name, said)
    if parameter.type == "list":
        return [part.strip() for part in said.replace("、", ",").replace("，", ",").split(",") if part.strip()]
    if parameter.type in ("number", "integer"):
        try:
            return float(said) if parameter.type == "number" else int(said)
        except ValueError as error:
            raise InputError(
                f"{name} 应为数，收到“{said}”。", f'{name} should be a number; got "{said}".', field=name
            ) from error
    if parameter.type == "boolean":
        return said.strip().lower() in ("是", "true", "1", "yes", "y")
    if not parameter.words:
        return said.strip()
    known = {word.lower(): meaning for meaning, words in parameter.words.items() for word in (meaning, *words)}
    if said.strip().lower() not in known:
        raise InputError(
            f"{name} 应为 {'、'.join(known)} 之一，收到“{said}”。",
            f'{name} should be one of {", ".join(known)}; got "{said}".',
            field=name,
        )
    return known[said.strip().lower()]


def _date(name: str, said: str) -> date:
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d"):
        try:
            return datetime.strptime(said.strip(), form).date()  # noqa: DTZ007 - a day of no zone
        except ValueError:
            continue
    raise InputError(
        f"{name} 应为日期，如 2024-12-31，收到“{said}”。",
        f'{name} should be a date such as 2024-12-31; got "{said}".',
        field=name,
    )
