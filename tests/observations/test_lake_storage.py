"""What the disk refuses is said in one sentence, and the lake is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from lake_frames import hours, python, values

from qinglan.base.settings import Settings
from qinglan.core.errors import StorageError
from qinglan.observations.lake import Lake, open_lake

SUBMIT = """
import os, resource, sys
from pathlib import Path
import polars as pl
from lake_frames import T, hours
from qinglan.base.settings import Settings
from qinglan.core.errors import StorageError
from qinglan.observations.lake import open_lake
lake = open_lake(Settings(home=Path(sys.argv[1])))
frame = pl.concat([hours([float(n * k % 977) for k in range(300)], site=f"other-{n}") for n in range(100)])
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
elif os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    lake.submit(frame, source="file")
except StorageError as refusal:
    print(refusal.zh)
"""


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_no_space_or_no_permission_is_one_sentence(lake: Lake, settings: Settings, how: str) -> None:
    lake.submit(hours([1.0, 2.0]), source="file")
    lake.journal.close()
    if how == "read-only":
        for folder in settings.home.rglob("*"):
            folder.chmod(0o555 if folder.is_dir() else 0o444)
    child = python(SUBMIT, settings.home, how)
    printed, complaint = child.communicate(timeout=60)
    for folder in settings.home.rglob("*"):
        folder.chmod(0o755 if folder.is_dir() else 0o644)
    assert child.returncode == 0, complaint
    assert printed.count("\n") == 1, complaint
    assert str(settings.home) in printed
    reopened = open_lake(settings)
    assert values(reopened.scan()) == [1.0, 2.0]
    reopened.submit(hours([3.0]), source="file")
    assert values(reopened.scan()) == [3.0, 2.0]


def test_a_file_in_the_place_of_the_lake_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    lake = open_lake(settings.model_copy(update={"lake": tmp_path / "file"}))
    with pytest.raises(StorageError) as refusal:
        lake.submit(hours([1.0]), source="file")
    assert str(tmp_path / "file") in refusal.value.zh
