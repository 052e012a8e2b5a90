"""An open set of ledgers on each database, with a small city."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from base.databases import DATABASES, new_settings
from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.core.declare import Declarations, Title, read
from qinglan.ledgers.places import Places
from qinglan.ledgers.registry import Ledgers

PLACES = Places.of(
    [
        ("100000", Title(zh="某市", en="City"), None),
        ("100001", Title(zh="东区", en="East"), "100000"),
        ("100002", Title(zh="西县", en="West County"), "100000"),
        ("100002-park", Title(zh="西县工业园", en="West Park"), "100002"),
    ]
)

POND = """
ledger: pond
title: {zh: 尾矿库, en: Tailings ponds}
domain: waste
lead: {department: {zh: 固体废物科, en: Waste section}}
basis: [环境应急资源调查指南]
key: code
label: name
place: place
sorts: [name, -volume, built]
fields:
  - {id: code, title: {zh: 编码, en: Code}, pattern: 'W\\d{3}'}
  - {id: name, title: {zh: 名称, en: Name}, required: true, max_length: 20, synonyms: [库名]}
  - {id: place, title: {zh: 地区, en: Place}, type: place, required: true}
  - {id: grade, title: {zh: 等别, en: Grade}, type: code, codes: {one: 一等 / First, two: 二等 / Second}}
  - {id: kinds, title: {zh: 矿种, en: Ores}, type: code, many: true, codes: {mo: 钼 / Mo, pb: 铅 / Pb, zn: 锌 / Zn}}
  - {id: volume, title: {zh: 总库容, en: Volume}, type: quantity, unit: m3, minimum: 0, maximum: 100000000}
  - {id: height, title: {zh: 坝高, en: Height}, type: quantity, unit: m, decimals: 1, synonyms: [坝高]}
  - {id: share, title: {zh: 每米库容, en: Volume per metre}, type: computed, expression: volume / height, decimals: 2}
  - {id: built, title: {zh: 建成日期, en: Built}, type: date, maximum: today}
  - {id: checked, title: {zh: 检查时间, en: Checked}, type: datetime}
  - {id: active, title: {zh: 在用, en: Active}, type: boolean}
  - {id: owner, title: {zh: 企业, en: Owner}, type: enterprise}
  - {id: head, title: {zh: 负责人, en: Head}, sealed: true, masked: name}
  - {id: location, title: {zh: 位置, en: Location}, type: geometry, of: point}
  - {id: upstream, title: {zh: 上游库, en: Upstream}, type: reference, ledger: pond}
  - {id: plan, title: {zh: 预案, en: Plan}, type: file}
  - id: wells
    title: {zh: 监测井, en: Wells}
    type: rows
    fields:
      - {id: name, title: {zh: 井号, en: Well}, required: true}
      - {id: depth, title: {zh: 井深, en: Depth}, type: quantity, unit: m, minimum: 0}
examples:
  - {from: 手写算例, record: {code: W001, name: 一号, place: "100001"}}
"""
USCC = "91350100M000100Y43"


def pond(**values: object) -> dict[str, object]:
    """A whole record of the ledger above."""
    return {"code": "W001", "name": "一号库", "place": "100001", "volume": 1000, "height": 40} | values


Opener = Callable[..., Ledgers]


@pytest.fixture(params=DATABASES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    with new_settings(request.param, tmp_path / "home") as found:
        yield found


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    found = open_base(settings)
    yield found
    found.dispose()


@pytest.fixture
def opened(engine: Engine, settings: Settings, tmp_path: Path) -> Opener:
    """Opens the ledgers of some texts of declarations; called again, it is a new start of the program."""

    def open_them(*texts: str) -> Ledgers:
        declarations = Declarations()
        for number, text in enumerate(texts or (POND,)):
            path = tmp_path / f"declared-{number}.yaml"
            path.write_text(text, "utf-8")
            declarations.add(read(path))
        return Ledgers.open(engine, declarations, PLACES, home=settings.home, files=settings.files)

    return open_them


@pytest.fixture
def ledgers(opened: Opener) -> Ledgers:
    return opened()
