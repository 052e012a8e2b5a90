"""Units as headers and cells write them, and the items that they belong to."""

from __future__ import annotations

import pytest

from qinglan.gateways.judging.declare import Items
from qinglan.gateways.judging.measures import PROVIDERS, measures_of
from qinglan.gateways.judging.quantities import Conversion, conversion, split


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("高锰酸盐指数(mg/L)", "高锰酸盐指数", "mg/L"),
        ("氨氮（ＭＧ／Ｌ）", "氨氮", "mg/L"),
        ("总磷 [μg/L]", "总磷", "ug/L"),
        ("tp_ug_l", "tp", "ug/L"),
        ("PM2.5_ug/m3", "PM2.5", "ug/m3"),
        ("透明度(cm)", "透明度", "cm"),
        ("昼间等效声级dB(A)", "昼间等效声级", "dB"),
        ("粪大肠菌群(MPN/L)", "粪大肠菌群", "个/L"),
        ("镉（mg·kg-1）", "镉", "mg/kg"),
        ("库容(万m3)", "库容", "10^4 m3"),
        ("pH(无量纲)", "pH", "1"),
        ("氨氮(ppm)", "氨氮", "ppm"),
        ("总磷（以P计）", "总磷（以P计）", None),
        ("水M", "水M", None),
        ("PM2.5", "PM2.5", None),
        ("O3_8h", "O3_8h", None),
    ],
)
def test_headers_part_into_name_and_unit(header, name, unit):
    assert split(header) == (name, unit)


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        ("ug/L", "mg/L", Conversion(by=1000.0)),
        ("g/L", "mg/L", Conversion(times=1000.0)),
        ("μg/kg", "mg/kg", Conversion(by=1000.0)),
        ("m", "cm", Conversion(times=100.0)),
        ("MPN/100mL", "个/L", Conversion(times=10.0)),
        ("t", "kg", Conversion(times=1000.0)),
        ("万元", "元", Conversion(times=10000.0)),
        (None, "mg/L", Conversion()),
        ("ppm", "mg/L", None),
        ("mg/m3", "mg/L", None),
        ("dB(A)", "mg/L", None),
    ],
)
def test_conversions_are_exact_or_there_is_none(given, wanted, expected):
    assert conversion(given, wanted) == expected


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_each_item_is_found_by_its_title_and_code(provider):
    measures = measures_of(Items(of=provider))
    assert measures.all
    for one in measures.all:
        for name in (one.code, one.title):
            found = measures.find(name)
            assert found is not None
            assert name in (found.code, found.title, *found.names), f"{name} leads to {found.code}"


def test_names_of_other_media_lead_nowhere():
    water = measures_of(Items(of="surface_water"))
    assert [water.find(name) for name in ("PM2.5", "等效声级", "备注", "电导率")] == [None] * 4
    assert [water.find(name).code for name in ("CODMn", "CODmn", "w01019", "NH3-N", "Cr6+")] == [
        *["codmn"] * 3,
        "nh3n",
        "cr6",
    ]
