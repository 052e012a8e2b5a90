"""Makes one archive that installs Qinglan with no network: wheels, hashes, licences, installer.

``python tools/bundle.py`` writes ``dist/qinglan-<version>-linux-x86_64.tar.gz``. Its wheels are those of
``requirements.lock``, checked against the lock's hashes, for the running Python or those given by ``--python 3.12``.
"""

from __future__ import annotations

import argparse
import email.parser
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
BROWSER = REPOSITORY / "browser"
LICENCE_FILE = re.compile(r"(?:^|/)(?:licen[cs]e|copying|notice|authors)[^/]*$|\.dist-info/licenses/.+", re.IGNORECASE)
# What wheels of this platform may be marked with, the newest glibc first.
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_12_x86_64")


class BundleError(Exception):
    """Why no archive was made."""


@dataclass(frozen=True)
class Package:
    """A package that comes with the archive, and its licence."""

    name: str
    version: str
    licence: str
    kind: str


def main() -> int:
    """Make the archive and print where it lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", help="a Python version to carry wheels for, such as 3.12")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist")
    options = parser.parse_args()
    pythons = options.python or [f"{sys.version_info.major}.{sys.version_info.minor}"]
    try:
        archive = make(pythons, options.output)
    except BundleError as error:
        print(f"tools/bundle.py: {error}", file=sys.stderr)
        return 1
    print(f"{archive.relative_to(Path.cwd()) if archive.is_relative_to(Path.cwd()) else archive}")
    print(f"{archive.stat().st_size / 1e6:.0f} MB, sha256 {_digest(archive)}")
    return 0


def make(pythons: list[str], output: Path) -> Path:
    """Return the path of a new archive for Python versions `pythons`."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise BundleError(f"this makes archives for Linux x86_64, and runs on {platform.system()} {platform.machine()}")
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    name = f"qinglan-{version}-linux-x86_64"
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output) as scratch:
        folder = Path(scratch) / name
        wheels = folder / "wheels"
        wheels.mkdir(parents=True)
        own = _build_wheel(wheels)
        for python in pythons:
            _download(python, wheels)
        lock = (REPOSITORY / "requirements.lock").read_text("utf-8")
        pinned = f"qinglan=={version} --hash=sha256:{_digest(own)}\n"
        (folder / "requirements.txt").write_text(f"{lock.rstrip()}\n{pinned}", "utf-8")
        (folder / "PYTHON").write_text(" ".join(pythons) + "\n", "utf-8")
        packages = [*_python_licences(wheels, folder / "licences"), *_browser_licences(folder / "licences")]
        (folder / "THIRD-PARTY.md").write_text(_listed(packages), "utf-8")
        for document in ("LICENSE", "NOTICE", "CHANGELOG.md"):
            shutil.copy(REPOSITORY / document, folder)
        text = (REPOSITORY / "tools/install/README.txt").read_text("utf-8")
        (folder / "README.txt").write_text(text.format(version=version, pythons="、".join(pythons)), "utf-8")
        shutil.copy(REPOSITORY / "tools/install/install.sh", folder)
        (folder / "install.sh").chmod(0o755)
        return _packed(folder, output / f"{name}.tar.gz")


def _build_wheel(wheels: Path) -> Path:
    uv = REPOSITORY / ".tools/bin/uv"
    _run([str(uv), "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(REPOSITORY)])
    (wheels / ".gitignore").unlink(missing_ok=True)
    (own,) = wheels.glob("qinglan-*.whl")
    with zipfile.ZipFile(own) as wheel:
        names = set(wheel.namelist())
    for needed in ("qinglan/web/browser/index.html", "qinglan/cities/huludao/city.yaml"):
        if needed not in names:
            raise BundleError(f"the wheel lacks {needed}: run `make bundle`, which builds the pages first")
    return own


def _download(python: str, wheels: Path) -> None:
    """Fetch the locked wheels with pip, which checks each against its hash."""
    command = [_python_with_pip(), "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--dest", str(wheels)]
    if python != f"{sys.version_info.major}.{sys.version_info.minor}":
        # The lock's markers are read by the running Python, so each other one is asked for what its own would say.
        command += ["--python-version", python, "--implementation", "cp"]
        command += [word for name in (*PLATFORMS, "linux_x86_64") for word in ("--platform", name)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as requirements:
        requirements.write(_lock_for(python))
        requirements.flush()
        _run([*command, "--requirement", requirements.name])


def _lock_for(python: str) -> str:
    """Return the lock's entries whose markers hold for `python` on Linux, without the markers."""
    from packaging.markers import Marker

    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    kept = []
    for entry in re.split(r"\n(?=[a-zA-Z0-9])", (REPOSITORY / "requirements.lock").read_text("utf-8")):
        first, _, hashes = entry.partition("\\\n")
        pinned, _, marker = first.partition(";")
        if not marker.strip() or Marker(marker.strip()).evaluate(environment):
            kept.append(f"{pinned.strip()} \\\n{hashes.rstrip()}")
    return "\n".join(kept) + "\n"


def _python_with_pip() -> str:
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, str(base), shutil.which("python3", path=os.defpath) or ""):
        if candidate and _has_pip(candidate):
            return candidate
    raise BundleError("no Python with pip is here to download wheels with")


def _has_pip(python: str) -> bool:
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def _python_licences(wheels: Path, licences: Path) -> Iterator[Package]:
    found: dict[str, Package] = {}
    for path in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            described = next(name for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
            facts = email.parser.Parser().parsestr(wheel.read(described).decode("utf-8"))
            package = Package(facts["Name"], facts["Version"], _licence(facts), "Python")
            texts = [name for name in names if ".dist-info/" in name and LICENCE_FILE.search(name)]
            folder = licences / f"{package.name}-{package.version}"
            for name in texts:
                target = folder / name.split(".dist-info/", 1)[1].replace("/", "-").removeprefix("licenses-")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(wheel.read(name))
            if not texts:
                folder.mkdir(parents=True, exist_ok=True)
                stated = facts.get("License") or package.licence
                home = facts.get("Home-page") or "; ".join(facts.get_all("Project-URL") or [])
                (folder / "STATED.txt").write_text(f"{stated}\n\n{home}\n", "utf-8")
        found[f"{package.name} {package.version}"] = package
    yield from found.values()


def _licence(facts: email.message.Message) -> str:
    classified = [
        one.rsplit(" :: ", 1)[-1] for one in facts.get_all("Classifier") or [] if one.startswith("License ::")
    ]
    written = (facts.get("License") or "").strip().splitlines()
    return facts.get("License-Expression") or " or ".join(classified) or (written[0][:60] if written else "not stated")


def _browser_licences(licences: Path) -> Iterator[Package]:
    """Give the packages that the built pages carry, by the browser's lock."""
    lock = json.loads((BROWSER / "package-lock.json").read_text("utf-8"))
    for place, entry in sorted(lock["packages"].items()):
        source = BROWSER / place
        if not place or entry.get("dev") or entry.get("optional") or not source.is_dir():
            continue
        name = place.split("node_modules/")[-1]
        described = json.loads((source / "package.json").read_text("utf-8"))
        folder = licences / "browser" / f"{name.replace('/', '-')}-{described['version']}"
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(source.iterdir()):
            if path.is_file() and LICENCE_FILE.search(path.name):
                shutil.copy(path, folder)
        if not any(folder.iterdir()):
            (folder / "STATED.txt").write_text(f"{described.get('license', 'not stated')}\n", "utf-8")
        yield Package(name, described["version"], str(described.get("license", "not stated")), "browser")


def _listed(packages: Iterable[Package]) -> str:
    rows = sorted(packages, key=lambda one: (one.kind, one.name.lower(), one.version))
    lines = [f"| {one.name} | {one.version} | {one.licence} | {one.kind} |" for one in rows if one.name != "qinglan"]
    head = "# 随带软件包 Packages that come with Qinglan\n\nTheir licences' texts are in `licences/`.\n\n"
    return head + "| package | version | licence | for |\n|---|---|---|---|\n" + "\n".join(lines) + "\n"


def _packed(folder: Path, archive: Path) -> Path:
    half = archive.with_suffix(".part")

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    # Wheels are compressed already.
    with tarfile.open(half, "w:gz", compresslevel=1) as packed:
        packed.add(folder, arcname=folder.name, filter=plain)
    half.replace(archive)
    return archive


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise BundleError(f"{' '.join(command[:4])} … failed:\n{done.stdout}{done.stderr}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
