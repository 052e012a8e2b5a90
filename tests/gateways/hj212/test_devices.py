"""Devices as they are declared in files and kept in the base."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from qinglan.core.errors import InputError
from qinglan.gateways.hj212.devices import Device, Devices, all_devices, device, read_declarations, remove, save


def test_a_table_of_devices_is_read_with_its_lists_and_pairs() -> None:
    text = (
        "\ufeffmn,title,site,sites,addresses,units,level,edition,checksum,minutes,simulated\n"
        "A1,东门排口,P001,w=P001; a=S001,10.0.0.0/8; 192.168.1.7,w01018=ug/L,city,2017,modbus,5,true\n"
        ",,,,,,,,,,\n"
        "0012,,,,,,,,,,\n"
    )
    first, second = read_declarations(text, name="devices.csv")
    assert first == Device(
        mn="A1",
        title="东门排口",
        site="P001",
        sites={"w": "P001", "a": "S001"},
        addresses=("10.0.0.0/8", "192.168.1.7/32"),
        units={"w01018": "ug/L"},
        level="city",
        edition="2017",
        checksum="modbus",
        minutes=5,
        simulated=True,
    )
    assert second == Device(mn="0012")


def test_the_same_in_yaml() -> None:
    text = "devices:\n  - mn: A1\n    site: P001\n    sites: {a: S001}\n    addresses: [10.0.0.0/8]\n  - mn: '0012'\n"
    assert read_declarations(text, name="devices.yaml") == [
        Device(mn="A1", site="P001", sites={"a": "S001"}, addresses=("10.0.0.0/8",)),
        Device(mn="0012"),
    ]


@pytest.mark.parametrize(
    ("text", "name", "row", "field"),
    [
        ("mn,site\nA1,P\nA1,Q\n", "d.csv", 3, "mn"),
        ("mn,colour\nA1,red\n", "d.csv", 2, "colour"),
        ("mn,state\nA1,gone\n", "d.csv", 2, "state"),
        ("mn,addresses\nA1,10.0.0.300\n", "d.csv", 2, "addresses"),
        ("mn,key\nA1,1234\n", "d.csv", 2, "key"),
        ("mn\nA 1\n", "d.csv", 2, "mn"),
        ("- site: P1\n", "d.yaml", 1, "mn"),
        ("mn: A1\n", "d.yaml", None, None),
        ("- [", "d.yaml", None, None),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_by_row_and_field(
    text: str, name: str, row: int | None, field: str | None
) -> None:
    with pytest.raises(InputError) as refusal:
        read_declarations(text, name=name)
    assert (refusal.value.row, refusal.value.field, refusal.value.file) == (row, field, name)


def test_what_is_saved_comes_back_and_is_counted_only_where_it_changes(engine: Engine) -> None:
    full = Device(
        mn="A1", title="东门", site="P1", sites={"a": "S"}, password="1", key="00" * 16, units={"w01018": "ug/L"}
    )
    assert save(engine, [full, Device(mn="B2")]) == 2
    assert save(engine, [full, Device(mn="B2", note="x")]) == 1
    assert save(engine, [Device(mn="A1", state="quarantined")], only_new=True) == 0
    kept = device(engine, "A1")
    assert kept.model_copy(update={"created": None, "changed": None}) == full
    assert kept.dialect.key == bytes(16)
    assert [one.mn for one in all_devices(engine)] == ["A1", "B2"]
    remove(engine, "B2")
    with pytest.raises(InputError, match="B2"):
        device(engine, "B2")


def test_the_cache_is_read_anew_only_after_a_change(engine: Engine) -> None:
    known = Devices()
    save(engine, [Device(mn="A1", checksum="modbus")])
    assert known.refresh(engine)
    assert not known.refresh(engine)
    dialect = known("A1")
    assert dialect is not None
    assert dialect.checksum == "modbus"
    assert known("B2") is None
    save(engine, [Device(mn="B2")])
    assert known.refresh(engine)
    assert known("B2") is not None


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(Device(mn="A1", password="s3cret", key="ab" * 16))
    assert "abab" not in repr(Device(mn="A1", password="s3cret", key="ab" * 16))
