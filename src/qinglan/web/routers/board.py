"""The plan board, one indicator, and what officers record about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from qinglan.app import Application
from qinglan.base.identity.refusals import NotAllowedError
from qinglan.core.errors import InputError
from qinglan.indicators import board as boards
from qinglan.indicators import record
from qinglan.indicators.declare import Indicator
from qinglan.indicators.installation import target_of, today
from qinglan.indicators.store import LOCAL
from qinglan.web.answers import Json
from qinglan.web.identity import Caller, Calling, needs
from qinglan.web.moments import parse_day
from qinglan.web.refusals import unknown
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1", tags=["indicators"])
AsOf = Annotated[str | None, Query(max_length=40)]


class Entry(BaseModel):
    """What a document says about a year of an indicator."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    year: int = Field(ge=1980, le=2100)
    value: float = Field(allow_inf_nan=False, strict=True)
    document: str = Field(min_length=2, max_length=200)
    document_date: date
    note: str | None = Field(default=None, max_length=2000)


class Withdrawal(BaseModel):
    """Why an entry is taken back."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    note: str = Field(min_length=1, max_length=2000)


@router.get("/board")
@needs("read")
def plan_board(application: Serves, as_of: AsOf = None) -> Response:
    """Return the plan's indicators with their states on a day; by default today."""
    return Json(boards.board(application, _day(as_of)))


@router.get("/indicators/{indicator_id}")
@needs("read")
def one_indicator(application: Serves, indicator_id: str, as_of: AsOf = None) -> Response:
    """Return one indicator with history, targets, breaks and lineage."""
    return _shown(application, indicator_id, _day(as_of))


@router.post("/indicators/{indicator_id}/confirmed")
@needs("confirm")
def confirm(application: Serves, indicator_id: str, entry: Entry, caller: Calling) -> Response:
    """Record the value that a document confirms for a year."""
    return _recorded(record.confirm, application, indicator_id, entry, _who(application, caller, indicator_id))


@router.post("/indicators/{indicator_id}/targets")
@needs("confirm")
def issue_target(application: Serves, indicator_id: str, entry: Entry, caller: Calling) -> Response:
    """Record the target that a document issues for a year."""
    return _recorded(record.issue_target, application, indicator_id, entry, _who(application, caller, indicator_id))


@router.delete("/indicators/{indicator_id}/confirmed/{year}")
@needs("confirm")
def withdraw_confirmed(
    application: Serves, indicator_id: str, year: int, withdrawal: Withdrawal, caller: Calling
) -> Response:
    """Take back the confirmed value of a year; it stays listed with the reason."""
    return Json(
        record.withdraw(
            application, indicator_id, year, note=withdrawal.note, who=_who(application, caller, indicator_id)
        )
    )


@router.delete("/indicators/{indicator_id}/targets/{year}")
@needs("confirm")
def withdraw_target(
    application: Serves, indicator_id: str, year: int, withdrawal: Withdrawal, caller: Calling
) -> Response:
    """Take back the issued target of a year; it stays listed with the reason."""
    return Json(
        record.withdraw_target(
            application, indicator_id, year, note=withdrawal.note, who=_who(application, caller, indicator_id)
        )
    )


def _who(application: Application, caller: Caller, indicator_id: str) -> str:
    """Return who records something about an indicator; an officer of one medium says nothing about another."""
    _known(application, indicator_id, today())
    declared = application.declarations.get(Indicator, indicator_id)
    if not caller.scope.covers("confirm", medium=declared.domain, place=application.city.adcode):
        raise NotAllowedError(
            f"您的授权不包括“{declared.title.zh}”（要素或地区不符）。",
            f"Your grants do not reach {declared.title.en}: it is of another medium or place.",
            field="indicator",
        )
    return caller.scope.account or LOCAL


def _day(as_of: str | None) -> date:
    return parse_day(as_of, "as_of") if as_of else today()


def _shown(application: Application, indicator_id: str, day: date) -> Response:
    _known(application, indicator_id, day)
    return Json(boards.indicator(application, indicator_id, day))


def _known(application: Application, indicator_id: str, day: date) -> None:
    try:
        target_of(application, indicator_id, day)
    except InputError as error:
        raise unknown("指标", "indicator", indicator_id, "indicator", "/api/v1/board") from error


def _recorded(
    kept: Callable[..., dict[str, Any]], application: Application, indicator_id: str, entry: Entry, who: str
) -> Response:
    found = kept(
        application,
        indicator_id,
        entry.year,
        entry.value,
        document=entry.document,
        document_date=entry.document_date,
        note=entry.note or None,
        who=who,
    )
    return Json(found)
