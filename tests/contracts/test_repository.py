"""The rules that the repository keeps about itself (`make lint` runs this file too)."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 400
GENERATED = {".git", ".venv", "build", "dist", "node_modules", "__pycache__"}
HOME = "descend"

# Written in pieces, so that this file does not contain what it looks for.
REGISTRIES = re.compile(
    "|".join(
        re.escape("".join(pieces))
        for pieces in [
            ("pypi", ".org"),
            ("python", "hosted.org"),
            ("pypi", ".python.org"),
            ("registry.npm", "js.org"),
            ("registry.yarn", "pkg.com"),
            ("conda.ana", "conda.org"),
            ("deb.deb", "ian.org"),
            ("proxy.go", "lang.org"),
            ("crates", ".io"),
            ("index", "-url"),
            ("index", "_url"),
            ("find", "-links"),
            ("trusted", "-host"),
        ]
    ),
    re.IGNORECASE,
)
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+_-]+( ; [^#@:]+)?")


def committed_files() -> list[Path]:
    """All files that are, or would be, committed: git's own answer, or a walk where this is not a git clone."""
    listing = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        found = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        found = [p for p in ROOT.rglob("*") if not GENERATED.intersection(p.relative_to(ROOT).parts)]
    return sorted(path for path in found if path.is_file())


def text_of(path: Path) -> str | None:
    """The text of a file, None of a binary one."""
    content = path.read_bytes()
    return None if b"\0" in content else content.decode(errors="replace")


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return committed_files()


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower() for line in requirements}


def test_no_source_file_is_two_rooms(files):
    rooms = [ROOT / "src", ROOT / "tests", ROOT / "benchmarks", ROOT / "docs"]
    sources = [p for p in files if p.suffix == ".py" and any(p.is_relative_to(room) for room in rooms)]
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in sources}
    assert lengths, "no source file was found"
    assert {name: count for name, count in lengths.items() if count > MAX_LINES} == {}


def test_no_address_of_a_registry_is_committed(files):
    guilty = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate((text_of(path) or "").splitlines(), start=1)
        if REGISTRIES.search(line)
    ]
    assert guilty == []


def test_no_lock_file_that_records_addresses_is_committed(files):
    lock = re.compile(r"uv\.lock|pylock(\..*)?\.toml|poetry\.lock|Pipfile\.lock")
    assert [path.name for path in files if lock.fullmatch(path.name)] == []


def test_extras_are_the_promised_ones(project):
    extras = project["optional-dependencies"]
    assert set(extras) == {"plot", "lab", "dask", "sklearn", "notebook", "test", "docs", "bench", "all"}
    assert extras["all"] == [f"{HOME}[plot,lab,dask,sklearn,notebook]"]
    assert "torch" not in requirement_names([line for lines in extras.values() for line in lines])


def test_core_dependencies_are_the_promised_ones(project):
    promised = "numpy scipy llvmlite sympy pyarrow narwhals python-flint click rich"
    assert requirement_names(project["dependencies"]) == set(promised.split())


def test_requirements_are_versions_and_nothing_else(project):
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    pinned = requirement_names(lines)
    asked = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    assert requirement_names(asked) - pinned == {HOME}, "run `make requirements`"
    assert "torch" not in pinned


def test_version_is_one(project):
    version = project["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert version in (ROOT / "CHANGELOG.md").read_text()


def test_package_is_typed_and_ships_its_example():
    package = ROOT / "src" / HOME
    assert (package / "py.typed").is_file()
    assert (package / "examples" / "norris.csv").is_file()
