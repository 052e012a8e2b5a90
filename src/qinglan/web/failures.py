"""Every failure becomes problem+json: one sentence in Chinese, the same in English, and the field where known."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qinglan.core.errors import QinglanError
from qinglan.web.answers import problem_response, refusal
from qinglan.web.refusals import problem

log = structlog.get_logger("qinglan.web")

_REASONS_ZH = {
    "missing": "缺少此项",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "finite_number": "应为有限的数字",
    "bool_parsing": "应为 true 或 false",
    "string_type": "应为文字",
    "string_too_short": "文字过短",
    "string_too_long": "文字过长",
    "date_parsing": "应为日期，如 2023-01-20",
    "date_from_datetime_parsing": "应为日期，如 2023-01-20",
    "date_from_datetime_inexact": "应为日期，如 2023-01-20",
    "date_type": "应为日期，如 2023-01-20",
    "datetime_parsing": "应为时间，如 2023-01-20T08:00:00+08:00",
    "datetime_from_date_parsing": "应为时间，如 2023-01-20T08:00:00+08:00",
    "greater_than_equal": "小于允许的最小值",
    "less_than_equal": "大于允许的最大值",
    "greater_than": "小于允许的最小值",
    "less_than": "大于允许的最大值",
    "literal_error": "不在允许的取值之内",
    "enum": "不在允许的取值之内",
    "json_invalid": "正文不是有效的 JSON",
    "extra_forbidden": "不认识此项",
    "model_attributes_type": "应为对象",
    "dict_type": "应为对象",
}
# What was typed into these is never sent back, nor does it come into a log that way.
_SECRET = frozenset({"password", "old", "code", "link"})
_STATUS_SENTENCES = {
    400: ("BadRequest", "请求无法读懂：{detail}。", "The request cannot be read: {detail}."),
    404: ("NotFound", "没有这个地址：{path}。", "There is nothing at {path}."),
    405: (
        "MethodNotAllowed",
        "地址 {path} 不接受 {method}；可用：{allow}。",
        "{path} does not take {method}; use {allow}.",
    ),
}


def add_handlers(app: FastAPI) -> None:
    """Have `app` answer errors as problem+json."""
    app.add_exception_handler(QinglanError, _own)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _status)


async def _own(_: Request, error: Exception) -> Response:
    assert isinstance(error, QinglanError)
    if error.status >= 500:
        log.warning("refused", error=type(error).__name__, reason=error.en)
    return refusal(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(invalid(error.errors()))


def invalid(faults: Any) -> dict[str, Any]:
    """Return the problem of arguments that do not have the declared form; all faults are listed."""
    errors = [_fault(fault) for fault in faults]
    return problem(
        422,
        "ValidationError",
        "；".join(f"{one['field']}：{one['zh']}" for one in errors) + "。",
        "; ".join(f"{one['field']}: {one['en']}" for one in errors) + ".",
        field=errors[0]["field"] if errors else None,
        errors=errors,
    )


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    where = [str(part) for part in fault["loc"] if part not in {"query", "path", "body", "header"}]
    kind, context = str(fault["type"]), fault.get("ctx") or {}
    reason = _REASONS_ZH.get(kind, "格式不符合要求")
    bounds = {"ge": "≥", "le": "≤", "gt": ">", "lt": "<", "expected": "可用："}
    limits = "，".join(f"{sign} {context[name]}" for name, sign in bounds.items() if name in context)
    given = fault.get("input")
    secret = any(part in _SECRET for part in where)
    shown = f"（收到“{str(given)[:80]}”）" if isinstance(given, str | int | float) and not secret else ""
    return {
        "field": ".".join(where) or "body",
        "zh": reason + (f"（{limits}）" if limits else "") + shown,
        "en": str(fault["msg"]),
    }


async def _status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.detail, dict):
        return problem_response(error.detail)
    title, zh, en = _STATUS_SENTENCES.get(error.status_code, ("HttpError", "{detail}。", "{detail}."))
    headers = dict(error.headers or {})
    words = {
        "path": request.url.path,
        "method": request.method,
        "allow": headers.get("Allow", ""),
        "detail": str(error.detail).rstrip("."),
    }
    return problem_response(
        problem(error.status_code, title, _filled(zh, words), _filled(en, words)), headers=headers or None
    )


def _filled(sentence: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        sentence = sentence.replace("{" + name + "}", word)
    return sentence


class Unforeseen:
    """Answer what nothing else caught with a reference; the traceback goes to the log and nowhere else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; answer 500 if it fails before it answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception("unforeseen", reference=reference, method=scope["method"], path=scope["path"])
            if started:
                raise
            answer = problem_response(
                problem(
                    500,
                    "Unforeseen",
                    f"服务器内部出错，已记入日志，编号 {reference}；请把编号告诉管理员。",
                    f"Something failed inside the server; it is in the log under {reference}: "
                    "give that number to the administrator.",
                    reference=reference,
                )
            )
            await answer(scope, receive, send)
