"""Every example in a docstring runs and is true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import qinglan

LEFT_OUT = ("qinglan.base.migrations.", "qinglan.__main__")
"""Scripts that act when imported."""

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(qinglan.__path__, "qinglan.")
    if not module.name.startswith(LEFT_OUT)
)


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert failed == 0


def test_there_are_examples() -> None:
    found = doctest.DocTestFinder(exclude_empty=True)
    with_examples = [name for name in MODULES for test in found.find(importlib.import_module(name)) if test.examples]
    assert len(with_examples) >= 30
