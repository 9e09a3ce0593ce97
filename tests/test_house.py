"""The rules of the house that no linter knows: sizes, import floors, and lists that documents promise to keep."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent
ROOMS = ("hub", "licenses", "storage", "workers")
LINES_PER_FILE, LINES_PER_FUNCTION = 300, 60
SETTING = re.compile(r"\bHUB_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")
# Set by the hub for its own processes, or in a request; never by an operator.
INTERNAL_NAMES = {"HUB_PROCESS", "HUB_DATABASE_ROLE", "HUB_STACK_FSYNC", "HUB_REQUEST_ID"}


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((BASE_DIR / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def name_of(path: Path) -> str:
    return str(path.relative_to(BASE_DIR))


def test_rooms_import_only_what_lies_below_them() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_files_stay_short_enough_to_read() -> None:
    long = {name_of(path): len(path.read_text().splitlines()) for path in sources(*ROOMS, "tests")}
    assert {name: lines for name, lines in long.items() if lines > LINES_PER_FILE} == {}


def test_functions_stay_short_enough_to_see_whole() -> None:
    functions = (
        (f"{name_of(path)}:{node.lineno} {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for path in sources(*ROOMS)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert {name: lines for name, lines in functions if lines > LINES_PER_FUNCTION} == {}


def rooms_in_the_house() -> list[str]:
    inner = [
        f"hub/{path.name}"
        for path in sorted((BASE_DIR / "hub").iterdir())
        if (path / "__init__.py").is_file()
    ]
    top = [
        folder for folder in (*ROOMS, "templates", "tests", "docker", "docs") if (BASE_DIR / folder).is_dir()
    ]
    return [*top, *inner]


@pytest.mark.parametrize("room", rooms_in_the_house())
def test_the_readme_shows_every_room(room: str) -> None:
    assert f"`{room}/`" in (BASE_DIR / "README.md").read_text()


def test_every_setting_is_listed_for_operators() -> None:
    words = (
        node.value
        for path in sources(*ROOMS)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    named = {word for word in words if SETTING.fullmatch(word)}
    listed = set(SETTING.findall((BASE_DIR / "docs" / "operating.md").read_text()))
    assert sorted(named - listed - INTERNAL_NAMES) == []


def locked(file: str) -> dict[str, str]:
    lines = (BASE_DIR / file).read_text().splitlines()
    pins = (line.split(" ")[0].partition("==") for line in lines if re.match(r"[a-z0-9]", line))
    return {name: version for name, _, version in pins}


def test_tests_run_with_exactly_what_the_hub_runs_with() -> None:
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: dev.get(name) for name in run} == run


def test_every_table_of_a_page_says_what_it_is() -> None:
    bare = re.compile(r"<table[^>]*>(?!\s*<caption)")
    pages = (path for path in (BASE_DIR / "templates").rglob("*.html") if "vendor" not in path.parts)
    assert [name_of(path) for path in pages if bare.search(path.read_text())] == []


def test_lock_files_hold_names_versions_and_hashes_only() -> None:
    allowed = re.compile(r"(?:[a-z0-9-]+==[^ ]+(?: ; .+)? \\|    --hash=sha256:[0-9a-f]{64}(?: \\)?)")
    for file in ("requirements.lock", "requirements-dev.lock"):
        odd = [line for line in (BASE_DIR / file).read_text().splitlines() if not allowed.fullmatch(line)]
        assert odd == []


def test_everything_the_hub_imports_is_in_its_lock() -> None:
    """Packages that only tests bring would be missing where the hub runs."""
    imported = {
        name.partition(".")[0]
        for path in sources(*ROOMS)
        for node in ast.parse(path.read_text()).body
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    owners = packages_distributions()
    outside = {name: owners.get(name, []) for name in imported - set(ROOMS) - sys.stdlib_module_names}
    names = {
        name: [re.sub(r"[-_.]+", "-", owner).lower() for owner in found] for name, found in outside.items()
    }
    run = locked("requirements.lock")
    assert sorted(name for name, found in names.items() if not any(owner in run for owner in found)) == []
