"""Nothing in the program knows a city: the names and codes of every city pack are looked for in all of its files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import qinglan.indicators.city as pack
from qinglan.core.declare import Declarations

REPOSITORY = Path(__file__).resolve().parent.parent
PROGRAM = REPOSITORY / "src" / "qinglan"
READ = {".py", ".yaml", ".csv", ".toml", ".sql", ".json", ".mako", ".html", ".md"}
# The table of all regions of the nation, and the examples on it; the default of one setting.
NATIONAL = {"catalogue/regions.csv", "catalogue/regions.py"}
ALLOWED = {("base/settings.py", 'city: str = Field(default="huludao", pattern=r"^[a-z][a-z0-9_]*$")')}
SUFFIX = re.compile(r"(经济开发区|高新技术产业开发区|产业开发区|循环产业园区|氢能源产业园|工业园区|新区|[市区县])$")


def names_of(folder: Path) -> set[str]:
    declarations = Declarations.from_folders([folder])
    found = {folder.name}
    for city in declarations.of(pack.City).values():
        found |= {city.adcode, city.id, SUFFIX.sub("", city.title.zh), city.title.en}
    for places in declarations.of(pack.Places).values():
        for place in places.entries:
            found |= {place.id, SUFFIX.sub("", place.title.zh), place.title.en.split()[0]}
    return {name for name in found if name}


def naming(text: str, names: set[str]) -> list[str]:
    sought = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)), re.IGNORECASE)
    return [line.strip() for line in text.splitlines() if sought.search(line)]


def sources() -> list[Path]:
    built = PROGRAM / "web" / "browser"
    packs = PROGRAM / "cities"
    return [
        path
        for path in sorted(PROGRAM.rglob("*"))
        if path.suffix in READ and not path.is_relative_to(built) and not path.is_relative_to(packs)
    ]


@pytest.mark.parametrize("folder", sorted((REPOSITORY / "cities").iterdir()), ids=lambda folder: folder.name)
def test_no_file_of_the_program_names_a_place_of_a_city_pack(folder):
    names = names_of(folder)
    assert len(names) > 10
    found = {
        (path.relative_to(PROGRAM).as_posix(), line)
        for path in sources()
        if path.relative_to(PROGRAM).as_posix() not in NATIONAL
        for line in naming(path.read_text("utf-8"), names)
    }
    assert found - ALLOWED == set()


def test_the_search_finds_what_it_should():
    names = {"葫芦岛", "Huludao", "211400"}
    assert naming("a\nsite = 'huludao'\n# 葫芦岛市区\n211400-01", names) == [
        "site = 'huludao'",
        "# 葫芦岛市区",
        "211400-01",
    ]
    assert len(sources()) > 50
