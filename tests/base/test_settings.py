"""Settings come from the file, then the environment; homes that cannot be used are refused in one sentence."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qinglan.base.database import open_base
from qinglan.base.engine import open_engine
from qinglan.base.settings import Settings
from qinglan.core.errors import InputError, StorageError


def test_a_new_home_has_its_folders_below_it(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "home", {})
    settings.prepare()
    assert settings.database_url == f"sqlite:///{tmp_path}/home/base.sqlite"
    assert (settings.city, settings.host, settings.port) == ("huludao", "127.0.0.1", 8212)
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["files", "journals", "lake", "locks"]


def test_the_home_comes_from_the_argument_then_the_environment_then_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    environment = {"QINGLAN_HOME": str(tmp_path / "said")}
    assert Settings.load(tmp_path / "argument", environment).home == tmp_path / "argument"
    assert Settings.load(None, environment).home == tmp_path / "said"
    assert Settings.load(None, {}).home == tmp_path / ".qinglan"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "qinglan.toml").write_text('port = 9000\ncity = "dalian"\nlake = "/srv/lake"\n', "utf-8")
    settings = Settings.load(tmp_path, {"QINGLAN_PORT": "9001", "QINGLAN_FILES": "papers", "QINGLAN_CI": "1"})
    assert (settings.port, settings.city) == (9001, "dalian")
    assert settings.lake == Path("/srv/lake")
    assert settings.files == tmp_path / "papers"


@pytest.mark.parametrize(
    ("text", "field"),
    [('colour = "blue"', "colour"), ("port = 70000", "port"), ('city = "../x"', "city"), ('home = "/"', "home")],
)
def test_what_the_file_may_not_say_is_named(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "qinglan.toml").write_text(text, "utf-8")
    with pytest.raises(InputError) as refusal:
        Settings.load(tmp_path, {})
    assert refusal.value.field == field
    assert refusal.value.file == str(tmp_path / "qinglan.toml")
    assert field in refusal.value.zh
    assert field in refusal.value.en


def test_a_bad_value_of_the_environment_is_named_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="QINGLAN_PORT"):
        Settings.load(tmp_path, {"QINGLAN_PORT": "many"})


@pytest.mark.parametrize("content", [b"port = ", "城市 = '葫芦岛'".encode("gb18030")])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "qinglan.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"qinglan\.toml"):
        Settings.load(tmp_path, {})


def test_the_password_of_the_database_is_not_shown(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, {"QINGLAN_DATABASE_URL": "postgresql://qinglan:verysecret@127.0.0.1:1/base"})
    assert "verysecret" not in repr(settings)
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:1/base") as refusal:
        open_base(settings)
    assert "verysecret" not in str(refusal.value)


@pytest.mark.parametrize("url", ["mysql://127.0.0.1/base", "nonsense", "sqlite://", "postgresql://:x:y/"])
def test_an_address_of_no_known_database_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="database_url"):
        open_engine(Settings.load(tmp_path, {"QINGLAN_DATABASE_URL": url}))


def test_a_home_whose_name_needs_care_opens(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path / "葫芦岛 100% #1", {})
    open_base(settings).dispose()
    assert (settings.home / "base.sqlite").stat().st_size > 0


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that this process may read but not write, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    root = os.name == "posix" and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_a_read_only_home_is_one_sentence(read_only: Path) -> None:
    for home in (read_only, read_only / "home"):
        with pytest.raises(StorageError) as refusal:
            open_base(Settings.load(home, {}))
        assert "不可写" in refusal.value.zh
        assert "cannot be written" in refusal.value.en
        assert str(home) in refusal.value.zh
        assert refusal.value.exit_code == 2


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(StorageError, match="不是目录"):
            Settings.load(home, {}).prepare()


def test_a_base_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "base.sqlite").write_bytes(b"a photograph" * 1000)
    with pytest.raises(StorageError, match="已损坏"):
        open_base(Settings.load(tmp_path, {}))
    assert (tmp_path / "base.sqlite").read_bytes() == b"a photograph" * 1000
