"""Units of water and soil: what is one kind, what is not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from qinglan.core.errors import InputError
from qinglan.core.units import factor_between, normal


@pytest.mark.parametrize(
    "written", ["mg/kg", "MG/KG", "mg/kg-dry", "mg/kg (dw)", "mg/kg（干重）", "mg/kg干基", "毫克/千克", "毫克/公斤"]
)
def test_dry_mass_is_written_in_many_ways(written: str) -> None:
    assert normal(written) == "mg/kg"


def test_what_soil_holds() -> None:
    assert factor_between("ug/kg", "mg/kg") == Decimal("0.001")
    assert factor_between("ng/kg-dry", "μg/kg") == Decimal("0.001")
    assert factor_between("g/kg", "mg/kg") == 1000
    with pytest.raises(InputError, match="mg/L"):
        factor_between("mg/L", "mg/kg")


def test_chlorophyll_may_be_given_by_the_litre_but_air_is_no_water() -> None:
    assert factor_between("ug/L", "mg/m3") == 1
    assert factor_between("mg/L", "mg/m3") == 1000
    with pytest.raises(InputError, match="mg/m3"):
        factor_between("mg/m3", "mg/L")
