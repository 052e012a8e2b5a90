"""Flags: which values count."""

from __future__ import annotations

import pytest

from qinglan.catalogue import flags
from qinglan.core.errors import InputError


def test_marks_of_hj_212_but_n_do_not_count():
    marks = {identifier: found.valid for identifier, found in flags.all_flags().items() if len(identifier) == 1}
    assert marks == {"N": True} | dict.fromkeys("FMSDCTB", False)


def test_own_reasons():
    assert flags.is_valid(None)
    assert flags.is_valid("dust")
    assert flags.is_valid("below_detection")
    assert not flags.is_valid("sentinel")
    assert not flags.is_valid("invalid_audit")
    assert flags.invalid_flags() == {name for name, found in flags.all_flags().items() if not found.valid}


def test_every_flag_says_where_it_comes_from():
    assert all(found.source.split(":")[0].startswith(("HJ 212-2017", "own")) for found in flags.all_flags().values())


def test_an_unknown_flag_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="sentinel"):
        flags.flag("broken")
