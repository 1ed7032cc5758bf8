"""The house rules that a machine can hold us to. Each exception stands here with its reason."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from sources import ROOT, Source, files, python, texts

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
MOST_MODULES = 15  # side by side in a folder

LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
GET_FUNCTIONS = {
    "src/flagstone/cli/command_group.py:get_command": "the name is click's: it calls this method",
}

VAGUE = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "handler", "data", "info"}
FORKS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.posix_spawnp", "os.system", "os.popen", "pty.fork", "pty.spawn"}
STARTERS = {"subprocess", "multiprocessing", "pty"}


def ours() -> list[Source]:
    return python("src", "workflow")


def test_no_file_is_longer_than_300_lines() -> None:
    rules = [path for path in files("workflow", "schemas") if path.suffix in (".smk", ".yaml")]
    paths = [source.path for source in ours()] + rules + [ROOT / "Snakefile"]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in paths}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE and name not in LONG_FILES} == {}


def test_no_folder_has_more_than_15_modules_side_by_side() -> None:
    modules = [source.path for source in ours() if source.path.name != "__init__.py"]
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules)
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_function_is_longer_than_40_lines() -> None:
    lengths = {
        f"{source.name}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for source in ours()
        for function in source.functions()
    }
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {source.name: set(source.path.relative_to(ROOT).with_suffix("").parts) for source in ours()}
    assert {name: sorted(words & VAGUE) for name, words in parts.items() if words & VAGUE} == {}


def test_no_function_is_named_get() -> None:
    named = {f"{source.name}:{each.name}" for source in ours() for each in source.functions() if is_getter(each.name)}
    assert named == set(GET_FUNCTIONS)


def is_getter(name: str) -> bool:
    return name.lstrip("_").startswith("get_")


def test_only_processes_starts_processes() -> None:
    package = [source for source in python("src/flagstone") if "/agents/demo/material/" not in source.name]
    starting = {source.name for source in package if source.imports & STARTERS or source.calls() & FORKS}
    outside = {name for name in starting if not name.startswith("src/flagstone/processes/")}
    assert outside == set()


@pytest.mark.parametrize(
    ("library", "room"),
    [
        ("rich", "src/flagstone/cli/"),
        ("click", "src/flagstone/cli/"),
        ("snakemake", "src/flagstone/cli/jobs/resident.py"),
        ("starlette", "src/flagstone/dashboard/"),
        ("uvicorn", "src/flagstone/dashboard/"),
    ],
)
def test_a_library_is_known_in_one_room_only(library: str, room: str) -> None:
    package = python("src/flagstone")
    assert [each.name for each in package if library in each.imports and not each.name.startswith(room)] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [source.name for source in ours() if source.tree.body and not first_line(source)] == []


def first_line(source: Source) -> str:
    doc = source.tree.body[0]
    return getattr(getattr(doc, "value", None), "value", "") or ""


def test_no_two_modules_of_the_tests_have_one_name() -> None:
    """Whichever pytest imported first would win, or the second would not be collected. The projects hold no tests."""
    modules = [path for path in files("tests") if path.suffix == ".py" and ROOT / "tests/projects" not in path.parents]
    names = Counter(path.name for path in modules if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_requirements_are_locked_by_hash_and_name_no_host() -> None:
    for name in ("build", "runtime", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pins = re.split(r"\n(?=[a-z])", text.strip())
        assert pins
        assert [pin.split()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []
        assert re.findall(r"://|^-.*|--(?:extra-)?index-url|--find-links|--trusted-host", text, re.MULTILINE) == []


def test_whoever_works_on_flagstone_has_what_its_users_have() -> None:
    """`make setup` installs requirements/dev.txt alone."""
    used, all_of_it = (
        set(re.findall(r"^\S+==\S+", (ROOT / "requirements" / f"{name}.txt").read_text("utf-8"), re.MULTILINE))
        for name in ("runtime", "dev")
    )
    assert used and used - all_of_it == set()


def test_no_file_names_a_place_of_a_developers_machine() -> None:
    places = [re.escape(f"{path}/") for path in (ROOT, Path.home()) if len(path.parts) > 1]
    others = r"/(?:home|Users)/(?!you\b|me\b|user\b|someone\b)[A-Za-z]\w*"
    # the path begins there: it is not the rest of a relative one
    place = re.compile(rf"(?<![\w.}}\]…])(?:{'|'.join([others, *places])})")
    found = {name: place.findall(text) for name, text in texts() if name != "tests/architecture/test_house.py"}
    assert {name: hits for name, hits in found.items() if hits} == {}
