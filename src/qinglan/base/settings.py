"""Settings: the home folder, what `qinglan.toml` in it says, and what the environment overrides."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError

FILE_NAME = "qinglan.toml"
PREFIX = "QINGLAN_"
_FOLDERS = ("lake", "journals", "files", "locks")


class Settings(BaseModel):
    """Where one installation keeps its data and where it listens.

    Relative folders lie below the home folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path
    database_url: str = Field(default="", repr=False)
    lake: Path = Path("lake")
    journals: Path = Path("journals")
    files: Path = Path("files")
    locks: Path = Path("locks")
    city: str = Field(default="huludao", pattern=r"^[a-z][a-z0-9_]*$")
    host: str = "127.0.0.1"
    port: int = Field(default=8212, ge=1, le=65535)
    names: tuple[str, ...] = ()
    """The names under which browsers reach the server, besides its addresses."""
    https: bool = False
    """Whether a proxy in front of the server speaks TLS: cookies are then sent by TLS alone."""
    proxies: tuple[str, ...] = ()
    """The addresses of proxies whose word on a caller's address is taken."""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = Field(default="", repr=False)
    oidc_title: str = "统一身份认证"
    oidc_claim: str = ""
    """The claim that holds an account's name; empty: only accounts that were linked by hand sign in."""

    @field_validator("names", "proxies", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return tuple(one.strip() for one in given.split(",") if one.strip()) if isinstance(given, str) else given

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @model_validator(mode="before")
    @classmethod
    def _below_home(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "home" not in given:
            return given
        home = Path(given["home"]).expanduser().absolute()
        folders = {name: home / Path(given.get(name, cls.model_fields[name].default)).expanduser() for name in _FOLDERS}
        url = given.get("database_url") or f"sqlite:///{(home / 'base.sqlite').as_posix()}"
        return {**given, **folders, "database_url": url}

    @classmethod
    def load(cls, home: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of `home`, else of `QINGLAN_HOME`, else of ``~/.qinglan``.

        `qinglan.toml` in the home folder is read if it is there; ``QINGLAN_<KEY>`` in the environment wins.

        Raises
        ------
        InputError
            If the file is no TOML, names an unknown key, or a value is not acceptable.
        StorageError
            If the file may not be read.
        """
        environment = os.environ if environment is None else environment
        chosen = home or Path(environment.get(f"{PREFIX}HOME") or "~/.qinglan")
        chosen = chosen.expanduser().absolute()
        file = chosen / FILE_NAME
        written = _read(file)
        keys = [name for name in cls.model_fields if name != "home"]
        for key in written:
            if key not in keys:
                raise InputError(
                    f"{FILE_NAME} 中的“{key}”不是已知的设置项；可用的有：{'、'.join(keys)}。",
                    f'"{key}" in {FILE_NAME} is no known setting; those known are {", ".join(keys)}.',
                    file=str(file),
                    field=key,
                )
        overriding = {
            key: environment[PREFIX + key.upper()] for key in keys if environment.get(PREFIX + key.upper()) is not None
        }
        try:
            return cls.model_validate({**written, **overriding, "home": chosen})
        except ValidationError as error:
            fault = error.errors()[0]
            key = ".".join(map(str, fault["loc"]))
            origin = PREFIX + key.upper() if key in overriding else FILE_NAME
            raise InputError(
                f"{origin} 的设置项“{key}”不可用：{fault['msg']}；给出的是 {fault['input']!r}。",
                f'The setting "{key}" of {origin} is not acceptable: {fault["msg"]}; given was {fault["input"]!r}.',
                file=str(file) if origin == FILE_NAME else None,
                field=key,
            ) from error

    @classmethod
    def existing(cls, home: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of a home folder that is there already; see `load`.

        A home folder has a `qinglan.toml`, or the lake and the locks that the first import or start made.

        Raises
        ------
        InputError
            If there is no such folder, or it is no home folder; nothing is made.
        """
        settings = cls.load(home, environment)
        if (settings.home / FILE_NAME).is_file() or (settings.lake.is_dir() and settings.locks.is_dir()):
            return settings
        if settings.home.exists():
            zh, en = f"这个目录不是晴岚的数据目录：{settings.home}", f"{settings.home} is no home folder of Qinglan"
        else:
            zh, en = f"没有这个数据目录：{settings.home}", f"There is no home folder {settings.home}"
        raise InputError(
            f"{zh}；请检查 --home，或先用 qinglan import / up 建立。",
            f"{en}; check --home, or make it first with qinglan import or qinglan up.",
            field="home",
        )

    def prepare(self) -> None:
        """Make the folders and make sure that they can be written.

        Raises
        ------
        StorageError
            If the home folder is read-only, is no folder, or the disk is full.
        """
        for folder in (self.home, *(getattr(self, name) for name in _FOLDERS)):
            with storage_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
                # Only a real write tells: permission bits say nothing about a read-only mount or a full disk.
                with tempfile.TemporaryFile(dir=folder) as probe:
                    probe.write(b"\0")


def _read(file: Path) -> dict[str, Any]:
    try:
        with storage_errors(file), file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InputError(
            f"{FILE_NAME} 不是 UTF-8 的 TOML 文件：{error}。",
            f"{FILE_NAME} is no TOML in UTF-8: {error}.",
            file=str(file),
        ) from error
