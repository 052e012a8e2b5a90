"""The repository keeps its own rules: no machine's paths, no addresses in locks, short files, true documents."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from qinglan import app
from qinglan.core.declare import Declaration, Declarations

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))
LOCKS = ("requirements.lock", "requirements-dev.lock")
LINES = 450
READMES = ("README.md", "README.zh-CN.md")
GUIDES = sorted((REPOSITORY / "docs").rglob("*.md"))

MACHINE_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|root|home/[a-z]+)/")
INDEX_OPTION = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|registry\.npm|pypi\.(?:org|python)")
PERMISSIVE = re.compile(r"\b(MIT|BSD|Apache|ISC|0BSD|PSF-2\.0|Python Software Foundation|Zlib|CC0)\b", re.I)
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|CDDL|EUPL)(?:[-v ]?\d|\b)", re.I)
# A licence of one of these that is no licence of the program: an exception lets it be linked.
BUNDLED_TEXT = 200


def committed() -> list[str]:
    """The paths under version control; where there is none (an unpacked source archive), the tests are skipped."""
    found = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if found.returncode:
        pytest.skip("the sources are not under version control here")
    return [path for path in found.stdout.split("\0") if path and (REPOSITORY / path).is_file()]


def texts(paths: list[str]) -> dict[str, str]:
    found = {}
    for path in paths:
        content = (REPOSITORY / path).read_bytes()
        if b"\0" not in content[:8192]:
            found[path] = content.decode("utf-8", errors="replace")
    return found


def test_no_path_of_a_machine():
    found = [
        f"{path}: {line.strip()[:100]}"
        for path, text in texts(committed()).items()
        for line in text.splitlines()
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "caught"),
    [
        ("open('/" + "work/main')", True),
        ("HOME=/" + "root/x", True),
        ("cd ../work/", False),
        ("https://host/work/1", False),
        ("$(DIR)/home/", False),
    ],
)
def test_the_scan_for_paths_catches_paths(line: str, caught: bool):
    assert bool(MACHINE_PATH.search(line)) is caught


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_hashes_and_no_addresses(lock: str):
    text = (REPOSITORY / lock).read_text("utf-8")
    entries = re.split(r"\n(?=[a-zA-Z0-9])", text.strip())
    pinned = [entry for entry in entries if re.match(r"[\w.\[\],-]+==", entry)]
    assert len(pinned) == len(entries) >= 30
    assert [entry.split()[0] for entry in pinned if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert not INDEX_OPTION.search(text)


def test_the_browser_lock_holds_hashes_and_no_addresses():
    packages = json.loads((REPOSITORY / "browser/package-lock.json").read_text("utf-8"))["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if name and "integrity" not in entry and "link" not in entry] == []


def test_no_package_index_is_configured():
    settings = ("pyproject.toml", "Makefile", "browser/.npmrc", ".ci/run", ".pre-commit-config.yaml")
    tools = [path for path in committed() if path.startswith("tools/")]
    found = [
        f"{path}: {match.group()}"
        for path, text in texts([*settings, *tools]).items()
        for match in INDEX_OPTION.finditer(text)
        if not (path.startswith("tools/") and match.group() == "--find-links")  # the archive's own folder of wheels
    ]
    assert found == []


def test_code_files_are_short():
    browser = [path for path in committed() if path.startswith("browser/src/") and not path.endswith((".css", ".json"))]
    paths = [*SOURCES, *(REPOSITORY / path for path in browser), *(REPOSITORY / "tools").glob("*.py")]
    counted = {path: len(path.read_text("utf-8").splitlines()) for path in paths}
    assert {str(path.relative_to(REPOSITORY)): count for path, count in counted.items() if count > LINES} == {}
    assert len(counted) > 100


def test_every_module_says_what_it_is():
    silent = [
        str(path.relative_to(REPOSITORY))
        for path in SOURCES
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_layers_import_only_downwards():
    checker = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(checker), "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def commands_of(text: str) -> set[str]:
    return set(re.findall(r"^make ([a-z]+)", text, re.M)) | set(re.findall(r"`make ([a-z]+)`", text))


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md"])
def test_documented_make_commands_exist(name: str):
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.M))
    asked = commands_of((REPOSITORY / name).read_text("utf-8"))
    assert asked <= targets
    assert "test" in asked


@pytest.mark.parametrize("name", READMES)
def test_the_two_commands_come_first(name: str):
    text = (REPOSITORY / name).read_text("utf-8")
    assert re.search(r"^make run\b.*\nmake test\b", text, re.M)


def documented_commands() -> list[tuple[str, str]]:
    paths = [*(REPOSITORY / name for name in READMES), *(p for p in GUIDES if "reference" not in p.parts)]
    return sorted(
        {
            (path.name, " ".join(words))
            for path in paths
            for words in (
                re.match(r"((?:[a-z0-9-]+ ?)+)", line).group(1).split()
                for line in re.findall(
                    r"(?:^|/)qinglan ([a-z].*)$", "\n".join(fenced(path.read_text("utf-8"), "sh")), re.M
                )
            )
        }
    )


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def known_commands() -> set[str]:
    import typer

    from qinglan.cli import commands
    from qinglan.cli.application import root

    if not root.registered_commands:
        commands.add_all(root)

    def walk(group: object, before: str) -> set[str]:
        found = set()
        for name, command in group.commands.items():
            path = f"{before} {name}".strip()
            found |= walk(command, path) if hasattr(command, "commands") else {path}
        return found

    return walk(typer.main.get_command(root), "")


def test_documented_commands_exist():
    known = known_commands()
    documented = documented_commands()
    unknown = [
        (name, command)
        for name, command in documented
        if not any(command == path or command.startswith(f"{path} ") for path in known)
    ]
    assert unknown == []
    assert len(documented) >= 4


@pytest.mark.parametrize("name", READMES)
def test_the_library_example_prints_what_it_says(name: str):
    """The README's Python blocks, one going on from the other, end with what they print as comments: it is so."""
    block = "\n".join(fenced((REPOSITORY / name).read_text("utf-8"), "python"))
    promised = [line.removeprefix("# ") for line in block.splitlines() if line.startswith("# ")]
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == promised
    assert promised


@pytest.mark.parametrize("name", READMES)
def test_the_tour_imports_the_example(name: str, tmp_path: Path):
    """48 hours of six factors, of which one cell is no number and one a missing-value code."""
    tour = "\n".join(fenced((REPOSITORY / name).read_text("utf-8"), "sh"))
    (words,) = re.findall(r"^\S*/qinglan (import .*) --home \S+$", tour, re.M)
    done = subprocess.run(
        [sys.executable, "-m", "qinglan", *words.split(), "--home", str(tmp_path), "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)["counts"]
    assert (counts["read"], counts["added"], counts["rejected"], counts["empty"]) == (48 * 6, 48 * 6 - 2, 1, 1)


def links() -> list[tuple[str, str]]:
    paths = [*(REPOSITORY / name for name in (*READMES, "CONTRIBUTING.md", "CHANGELOG.md")), *GUIDES]
    return [
        (str(path.relative_to(REPOSITORY)), target)
        for path in paths
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
        if "://" not in target
    ]


def test_links_between_documents_lead_somewhere():
    found = links()
    broken = [(name, target) for name, target in found if not ((REPOSITORY / name).parent / target).exists()]
    assert broken == []
    assert len(found) > 10


def test_the_reference_is_what_the_declarations_say():
    tool = REPOSITORY / "tools" / "reference.py"
    specification = importlib.util.spec_from_file_location("reference", tool)
    reference = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(reference)
    assert reference.out_of_date() == [], "run `make docs` and commit docs/reference"


def declared() -> list[Declaration]:
    return list(Declarations.from_folders([*app.declaration_folders(), *app.city_folders().values()]))


@pytest.mark.parametrize("declaration", [one for one in declared() if one.examples], ids=lambda one: one.id)
def test_examples_give_what_their_sources_say(declaration: Declaration):
    assert [finding.en for finding in declaration.run_examples()] == []


def test_declarations_agree_with_each_other():
    declarations = Declarations.from_folders([*app.declaration_folders(), *app.city_folders().values()])
    assert [finding.en for one in declarations for finding in one.check(declarations)] == []
    assert sum(len(one.examples) for one in declarations) >= 60


def runtime_packages() -> set[str]:
    """Every distribution that the runtime lock asks for on this machine."""
    found = set()
    for line in (REPOSITORY / "requirements.lock").read_text("utf-8").splitlines():
        if not re.match(r"[a-zA-Z0-9]", line):
            continue
        pinned, _, marker = line.rstrip("\\ ").partition(";")
        if not marker.strip() or Marker(marker.strip()).evaluate():
            found.add(Requirement(pinned.strip()).name)
    return found


def licence_of(name: str) -> str:
    found = metadata.metadata(name)
    stated = found.get("License-Expression") or ""
    classified = " ".join(one for one in found.get_all("Classifier") or [] if one.startswith("License"))
    written = (found.get("License") or "")[:BUNDLED_TEXT]
    return stated or classified or written or licence_file(name)


def licence_file(name: str) -> str:
    """The first lines of the licence that lies beside a distribution that states none."""
    beside = [one for one in metadata.files(name) or [] if one.name.upper().startswith("LICEN")]
    return " ".join(beside[0].read_text("utf-8").split())[:BUNDLED_TEXT] if beside else ""


def test_runtime_licences_are_permissive():
    licences = {name: licence_of(name) for name in runtime_packages()}
    # docs/decisions/0002: a list of certificates, unmodified, its files under their own licence.
    assert "Mozilla Public License 2.0" in licences.pop("certifi")
    assert "certifi" in (REPOSITORY / "NOTICE").read_text("utf-8")
    assert {name: text for name, text in licences.items() if not PERMISSIVE.search(text)} == {}
    assert {name: text for name, text in licences.items() if COPYLEFT.search(text)} == {}
    assert len(licences) >= 30


@pytest.mark.parametrize(
    ("text", "permissive", "copyleft"),
    [
        ("BSD-3-Clause AND 0BSD AND MIT", True, False),
        ("LGPL-3.0-only", False, True),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", False, True),
        ("Proprietary", False, False),
    ],
)
def test_the_licence_rules_tell_licences_apart(text: str, permissive: bool, copyleft: bool):
    assert bool(PERMISSIVE.search(text)) is permissive
    assert bool(COPYLEFT.search(text)) is copyleft


def extras() -> set[str]:
    return {
        Requirement(one).name
        for one in metadata.requires("qinglan") or []
        if Requirement(one).marker is not None and "extra" in str(Requirement(one).marker)
    }


def test_copyleft_extras_are_named_in_the_notice():
    notice = (REPOSITORY / "NOTICE").read_text("utf-8")
    installed = {name for name in extras() if importlib.util.find_spec(name.replace("-", "_"))}
    weak = {name for name in installed if COPYLEFT.search(licence_of(name))}
    assert {name for name in weak if name not in notice} == set()
    assert not {name for name in weak if re.search(r"\bA?GPL", licence_of(name).replace("LGPL", ""))}
    assert "Apache License" in notice
