"""`flagstone marker init`: what it proposes, the number that it measures, and what it writes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from flagstone.cli.location import Location
from flagstone.cli.markers import init
from flagstone.cli.markers.marker import command
from flagstone.errors import FlagstoneError
from flagstone.markers import read_markers

OWN, OLD = ".flagstone/config.yaml", ".autoresearch/config.yaml"
PYTHON = {
    "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['src']\n[tool.ruff.lint]\nselect = ['F', 'E']\n",
    "src/calc.py": "import os\n\n\ndef add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n",
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "Makefile": "build:\n\tmkdir -p out\n",
}
COUNT = ("count", "--command", "cat numbers", "--extract", "wc -l", "--direction", "higher", "--mutable", "numbers")
has_coverage = pytest.mark.skipif(not find_spec("pytest_cov"), reason="pytest-cov is not installed")
Make = Callable[[dict[str, str]], Path]


@pytest.fixture(autouse=True)
def own_programs_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(files: dict[str, str]) -> Path:
        top = tmp_path / "a repository"
        for path, text in files.items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text)
        git(top, "init", "-q")
        git(top, "add", "-A")
        git(top, "commit", "-q", "--allow-empty", "-m", "a commit")
        return top

    return made


def git(top: Path, *words: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(["git", *who, *words], cwd=top, check=True, capture_output=True, text=True).stdout


def asked(here: Path, *words: str, answers: str | None = None) -> Result:
    return CliRunner().invoke(command, ["init", *words], obj=Location(here), input=answers)


def answer(here: Path, *words: str, code: int = 0) -> Any:
    said = asked(here, *words, "--json")
    assert said.exit_code == code, (said.stdout, said.stderr)
    return json.loads(said.stdout).get("data")


def complaint(here: Path, *words: str) -> str:
    said = asked(here, *words)
    assert isinstance(said.exception, FlagstoneError), (said.exception, said.output)
    return f"{said.exception.problem}; {said.exception.hint}"


def rows(top: Path, name: str = OWN) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((top / name).read_text())["markers"]
    return found


def proposed(top: Path) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in answer(top, "--list")}


def test_the_number_is_measured_on_the_last_commit_and_written(make: Make) -> None:
    top = make({"numbers": "1\n2\n3\n"})
    (top / "numbers").write_text("1\n")
    said = asked(top, *COUNT)
    assert "count: 3, measured once on the last commit" in said.output, said.output
    assert "not committed, so not part of the experiment: numbers" in said.output
    assert "nothing limits what the agent costs" in said.output
    assert said.output.endswith("then: flagstone marker run count\n")
    assert rows(top)[0]["metric"]["baseline"] == 3
    marker = read_markers(top).markers[0]
    assert (marker.metric.baseline, marker.metric.direction, marker.mutable) == (3, "max", ("numbers",))


def test_paths_are_those_from_where_the_user_stands(make: Make) -> None:
    top = make({"numbers": "1\n", "docs/a.md": ""})
    link = top.parent / "link"
    link.symlink_to(top)
    for here, path in ((top / "docs", f"../{OWN}"), (link, OWN)):
        said = asked(here, f"in-{here.name}", *COUNT[1:]).output
        assert f"added to {path}:" in said and f"next: git add {path} && git commit" in said, said
    said = asked(top.parent, "outside", *COUNT[1:], "--repo", "link").output
    assert f"next: git -C 'a repository' add {OWN}" in said
    assert said.endswith("then: flagstone marker --repo link run outside\n")


def test_only_the_marker_file_is_left_and_it_can_be_committed(make: Make) -> None:
    top = make({"numbers": "1\n"})
    before = git(top, "for-each-ref"), (top / ".git/config").read_text()
    asked(top, *COUNT)
    assert git(top, "status", "--porcelain", "-uall") == f"?? {OWN}\n"
    assert (git(top, "for-each-ref"), (top / ".git/config").read_text()) == before
    assert sorted(os.listdir(top / ".flagstone/markers/.init")) == ["lock"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_adds_nothing_and_the_next_call_clears_it_away(make: Make, how: signal.Signals) -> None:
    top = make({"numbers": "1\n"})
    words = ("init", "count", "--command", "touch begun; sleep 60", *COUNT[3:])
    argv = [sys.executable, "-m", "flagstone.cli.main", "marker", *words]
    process = subprocess.Popen(argv, cwd=top, stderr=subprocess.PIPE, text=True)
    begun = top / ".flagstone/markers/.init/1/trees/0/begun"
    while not begun.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(how)
    _, said = process.communicate(timeout=300)
    assert not (top / OWN).exists()
    if how == signal.SIGINT:
        assert process.returncode == 130 and "no marker was added" in said, said
        assert not begun.exists()
    assert answer(top, *COUNT)["baseline"] == 1
    assert sorted(os.listdir(top / ".flagstone/markers/.init")) == ["lock"]


def test_a_command_that_fails_leaves_no_number_and_says_why(make: Make) -> None:
    top = make({"numbers": "1\n"})
    words = ("--command", "echo almost; exit 4", *COUNT[3:])
    said = asked(top, "count", *words)
    assert said.exit_code == 0, said.output
    assert "count: no number was measured: exit code 4" in said.output and "  almost" in said.output
    assert "write metric.ok_exit: [0, 4]" in said.output
    assert "baseline" not in rows(top)[0]["metric"]
    made = answer(top, "again", *words)
    assert (made["baseline"], made["exit_code"]) == (None, 4) and "exit code 4" in made["reason"]


def test_output_without_a_number_is_quoted(make: Make) -> None:
    top = make({"numbers": "1\n"})
    said = asked(top, "count", "--command", "cat numbers", "--extract", "grep x", *COUNT[5:])
    assert "extract gave no number: it printed nothing" in said.output
    assert "write it as metric.empty: 0" in said.output
    assert said.output.endswith("then: flagstone marker init --check count\n")
    assert asked(top, "zero", "--extract", "grep x", "--empty", "0", *COUNT[1:3], *COUNT[5:]).exit_code == 0
    assert rows(top)[1]["metric"]["baseline"] == 0


def test_a_command_that_prints_nothing_is_quoted_with_nothing(make: Make) -> None:
    said = asked(make({"numbers": "1\n"}), "count", "--command", "true", "--extract", "cat", *COUNT[5:])
    assert "it printed nothing" in said.output and "it printed last" not in said.output


def test_an_empty_repository_gets_a_marker_without_a_number(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "numbers").write_text("1\n")
    said = asked(tmp_path, *COUNT)
    assert "no number was measured: the repository" in said.output and "has no commit yet" in said.output
    assert "baseline" not in rows(tmp_path)[0]["metric"]


def test_outside_a_repository_it_says_so(tmp_path: Path) -> None:
    assert "is in no git repository" in complaint(tmp_path, *COUNT)


def test_nothing_to_measure_is_said_with_an_example(make: Make) -> None:
    top = make({"README.md": "hello\n"})
    said = complaint(top, "-y")
    assert "found nothing to measure" in said and "--command" in said
    assert not (top / ".flagstone").exists()


def test_what_is_open_is_said_where_nobody_can_be_asked(make: Make) -> None:
    top = make(PYTHON)
    said = complaint(top)
    assert "what to improve is open" in said and "--improve" in said
    assert not (top / ".flagstone").exists()


def test_python_tools_are_proposed(make: Make) -> None:
    found = proposed(make(PYTHON))
    assert found["lint"]["metric"]["command"] == "ruff check --ignore-noqa src"
    assert (found["lint"]["metric"]["ok_exit"], found["lint"]["metric"]["empty"]) == ([0, 1], 0)
    assert found["lint"]["guard"] == {"command": "pytest"}
    assert found["lint"]["target"] == {"mutable": ["src/**/*.py"]}
    assert found["tests"]["metric"]["command"] == "pytest --tb=no"
    assert found["coverage"]["target"] == {"mutable": ["tests/**"]}
    assert found["build-time"]["metric"]["timing"] is True


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"src/a.py": ""}, "coverage run --source=src -m pytest && coverage report --precision=2"),
        ({"a/__init__.py": "", "b.py": ""}, "coverage run --source=a -m pytest && coverage report --precision=2"),
        ({"a.py": "", "setup.py": ""}, "coverage run --source=a -m pytest && coverage report --precision=2"),
        ({"src/a.py": "", "tox.ini": "pytest-cov"}, "pytest --cov=src --cov-report= && coverage report --precision=2"),
    ],
)
def test_coverage_is_that_of_the_sources_alone(
    make: Make, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], line: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/found")
    found = proposed(make({**files, "tests/test_a.py": "", "tests/conftest.py": ""}))
    assert found["coverage"]["metric"]["command"] == line
    assert found["coverage"]["target"] == {"mutable": ["tests/**"], "immutable": ["**/conftest.py"]}


@has_coverage
def test_a_small_gain_of_coverage_shows(make: Make) -> None:
    top = make(PYTHON)
    assert answer(top, "--improve", "coverage")["baseline"] == 80
    text = (top / "src/calc.py").read_text()
    (top / "src/calc.py").write_text(text + "\n".join(f"x{number} = 1" for number in range(1000)))
    git(top, "commit", "-qam", "more")
    assert 99.8 < answer(top, "again", "--improve", "coverage")["baseline"] < 100


def test_what_cannot_become_better_is_said(make: Make) -> None:
    top = make({**PYTHON, "src/calc.py": "def add(a, b):\n    return a + b\n"})
    for what in ("lint: ", "tests: nothing failed; if it counts what passes, "):
        assert f"{what}nothing is left to gain" in asked(top, "--improve", what.partition(":")[0]).output


def test_scripts_of_a_package_are_proposed(make: Make) -> None:
    scripts = {"test": "jest", "lint": "eslint .", "build": "tsc"}
    files = {"package.json": json.dumps({"scripts": scripts}), "src/a.ts": "", "src/a.test.ts": ""}
    files |= {"eslint.config.js": "", ".eslintrc.js": ""}  # whoever may change these changes the number
    found = proposed(make(files))
    assert {name: row["metric"]["command"] for name, row in found.items()} == {
        "coverage": "npm test -- --coverage 2>&1",
        "lint": "npm run lint -- --no-inline-config 2>&1",
        "tests": "npm test 2>&1",
        "build-time": "LC_ALL=C TIMEFORMAT=%R; { time npm run build; } 2>&1",
    }
    assert found["tests"]["target"] == {"mutable": ["src/**/*.ts"], "immutable": ["**/*.test.ts"]}
    assert found["coverage"]["target"] == {"mutable": ["**/*.test.ts"]}


@pytest.mark.parametrize(
    ("files", "names"),
    [
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}', "a.js": ""}, []),
        ({"package.json": "{not json", "a.js": ""}, []),
        ({"package.json": '["x"]', "a.js": ""}, []),
        ({"Cargo.toml": "", "src/lib.rs": ""}, ["tests", "build-time"]),
        ({"go.mod": "", "a.go": "", "a_test.go": ""}, ["coverage", "tests", "build-time"]),
        ({"Makefile": "lint:\n\truff check .\nX := 1\nall: a\n", "a.py": ""}, ["lint", "build-time"]),
        ({"Makefile": "test: a\n\t./run\n", "a.c": ""}, ["tests"]),
        ({"Makefile": "test:\n", "README": ""}, []),
    ],
)
def test_each_kind_of_project_has_its_proposals(make: Make, files: dict[str, str], names: list[str]) -> None:
    assert [name for name in proposed(make(files)) if name != "lint" or "lint" in names] == names


def test_the_project_around_a_folder_counts(make: Make) -> None:
    top = make({"apps/web/package.json": '{"scripts": {"test": "mocha"}}', "apps/web/lib/a.js": "", **PYTHON})
    (row,) = answer(top / "apps/web/lib", "--list")
    assert row["metric"]["command"] == "cd apps/web && npm test 2>&1"
    assert row["target"] == {"mutable": ["apps/web/lib/**/*.js"]}
    assert row == answer(top.parent, "--list", "--repo", f"{top.name}/apps/web")[0]


def test_file_names_that_are_no_text_are_left_out(make: Make) -> None:
    top = make({"Makefile": "build:\n\ttrue\n", "src/größe 1.c": "", "a\nb.c": ""})
    (top / os.fsdecode(b"\xff.c")).touch()
    assert answer(top, "-y")["baseline"] is not None
    assert rows(top)[0]["target"] == {"mutable": ["src/**/*.c"]}


def test_a_guard_that_fails_already_is_left_out_unless_it_was_asked_for(make: Make) -> None:
    top = make({**PYTHON, "tests/test_calc.py": "def test_it():\n    assert False\n"})
    said = asked(top, "--improve", "lint")
    assert "left out: the guard ended with exit code 1" in said.output
    assert "guard" not in rows(top)[0]
    said = asked(top, "kept", "--improve", "lint", "--guard", "exit 1")
    assert "kept: the guard ended with exit code 1. Until it passes, nothing can be kept" in said.output
    assert rows(top)[1]["guard"] == {"command": "exit 1"}


def test_a_name_that_is_taken_is_refused_before_anything_is_run(make: Make) -> None:
    top = make({"numbers": "1\n"})
    asked(top, *COUNT)
    before = (top / OWN).read_bytes()
    said = complaint(top, *COUNT)
    assert "there is a marker 'count' in .flagstone/config.yaml already" in said
    assert (top / OWN).read_bytes() == before


def test_taking_the_proposals_again_takes_the_next_one(make: Make) -> None:
    top = make({"Makefile": "test:\n\techo 3 passed\nbuild:\n\ttrue\n", "a.c": ""})
    made = [answer(top, "-y") for _ in range(2)]
    assert [(each["marker"], each["notices"]) for each in made] == [("tests", []), ("build-time", [])]
    assert "no marker yet" in complaint(top, "-y")
    assert rows(top)[0]["metric"]["baseline"] == 3 and rows(top)[1]["metric"]["baseline"] >= 0


def test_a_file_that_is_no_yaml_is_named_with_its_line(make: Make) -> None:
    top = make({"numbers": "1\n", OWN: "markers:\n  - [\n"})
    assert f"{OWN} line 3 is not readable YAML" in complaint(top, *COUNT)


def test_a_file_that_is_wrong_is_not_written_to(make: Make) -> None:
    text = "markers:\n  - name: a\n    metrics: {}\n"
    top = make({"numbers": "1\n", OWN: text})
    assert f"{OWN}:3:metrics: unknown key" in complaint(top, *COUNT)
    assert (top / OWN).read_text() == text


FIRST = "name: first\n    target: {mutable: [a]}\n    metric: {command: a, extract: b, direction: lower}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# ours\n", "# ours\nmarkers:\nNEW"),
        ("markers: []  # none yet\n", "markers:  # none yet\nNEW"),
        ("markers:\n", "markers:\nNEW"),
        (f"markers:\n  - {FIRST}", f"markers:\n  - {FIRST}\nNEW"),
        (
            f"markers:  # all\n  - {FIRST}  # one\n    # guard: later\n\n# end\n",
            f"markers:  # all\n  - {FIRST}  # one\n    # guard: later\nNEW\n# end\n",
        ),
        (f"markers:\n  - {FIRST}\n".replace("\n", "\r\n"), None),
    ],
)
def test_comments_and_order_stay_as_they_are(make: Make, before: str, after: str | None) -> None:
    top = make({"numbers": "1\n"})
    (top / OWN).parent.mkdir()
    (top / OWN).write_bytes(before.encode())
    assert asked(top, *COUNT).exit_code == 0
    text = (top / OWN).read_bytes().decode()
    new = text[text.index("  - name: count") :]
    new = new[: new.index("\n", new.index("baseline: 1")) + 1]
    assert text.replace(new, "NEW" if after else "") == (after or before)
    assert read_markers(top).markers[-1].metric.baseline == 1


def test_a_list_on_one_line_gets_a_further_item(make: Make) -> None:
    one = "{name: a, target: {mutable: [a]}, metric: {command: a, extract: b, direction: lower}}"
    top = make({"numbers": "1\n", OWN: f"markers: [{one}]  # x\n"})
    asked(top, *COUNT)
    text = (top / OWN).read_text()
    assert text.startswith(f"markers: [{one}, {{name: count,") and text.endswith("}]  # x\n")
    assert len(read_markers(top).markers) == 2


def test_a_form_that_nothing_can_be_inserted_into_is_refused_with_the_lines_to_write(make: Make) -> None:
    top = make({"numbers": "1\n", OWN: "- 1\n"})
    said = complaint(top, *COUNT)
    assert "cannot be inserted" in said and "- name: count" in said


def test_the_file_of_another_program_is_used_if_there_is_no_other(make: Make) -> None:
    top = make({"numbers": "1\n", OLD: f"markers:\n  - {FIRST}\n"})
    asked(top, *COUNT)
    assert not (top / OWN).exists()
    assert rows(top, OLD)[1]["metric"]["stderr"] is False  # there it is true by default
    assert read_markers(top).markers[1].metric.stderr is False


def test_a_marker_file_that_git_ignores_is_added_by_force(make: Make) -> None:
    top = make({"numbers": "1\n", ".flagstone/.gitignore": "*\n"})
    assert f"next: git add -f {OWN}" in asked(top, *COUNT).output


def test_answers_on_a_terminal_make_the_marker(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "has_terminal", lambda: True)
    top = make({"Makefile": "test:\n\techo 3 passed\n", "a.c": "", "b.c": ""})
    said = asked(top, answers="1\na.c\n-\n")
    assert "1  tests  make test" in said.output and said.exit_code == 0, said.output
    assert rows(top)[0]["target"] == {"mutable": ["a.c"]}
    own = asked(top, answers="cat a.c; echo 5\ntail -n 1\nhigher\nfive\n'*.c'\ntrue\n")
    assert own.exit_code == 0 and "five: 5" in own.output, own.output
    assert (rows(top)[1]["name"], rows(top)[1]["metric"]["baseline"]) == ("five", 5)
    assert rows(top)[1]["guard"] == {"command": "true"}


README = """
markers:
  - name: m
    target: {mutable: [src/**/*.py]}
    metric:
      command: "COMMAND"
      extract: "EXTRACT"
      direction: higher
      baseline: 42
"""


def reading(make: Make, line: str, extract: str, source: str = PYTHON["src/calc.py"]) -> tuple[Any, dict[str, Any]]:
    """What the lines of its README read with the tools of today, and what `init` shows instead if that is nothing."""
    text = README.replace("COMMAND", line).replace("EXTRACT", extract.replace("\\", "\\\\"))
    top = make({**PYTHON, "src/calc.py": source, OLD: text})
    said = asked(top, "--check", "--json")
    (row,) = json.loads(said.stdout)["data"]
    assert said.exit_code == (3 if row["baseline"] is None else 0)
    return row["baseline"], row.get("better", {})


@pytest.mark.parametrize(
    "line", ["python3 -m pytest --tb=no -q 2>&1 | tail -1", "pytest tests/ -q --tb=no 2>&1 | tail -1"]
)
def test_its_examples_that_count_tests_read_unchanged(make: Make, line: str) -> None:
    assert reading(make, line, r"grep -oP '\d+(?= passed)'") == (1, {})


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_its_example_for_the_time_of_a_build_reads_unchanged(make: Make) -> None:
    value, better = reading(make, "bash -c 'TIMEFORMAT=%R; time make build 2>&1'", "tail -1")
    assert 0 <= value < 60 and better == {}


@has_coverage
def test_of_its_example_for_coverage_the_line_that_reads_it_today_is_shown(make: Make) -> None:
    value, better = reading(make, "pytest --cov=src --cov-report=term 2>&1 | tail -1", r"grep -oP '\d+(?=%)'")
    assert value is None
    assert set(better) == {"command", "extract", "baseline"}
    assert better["command"] == "pytest --cov=src --cov-report=term 2>&1" and 50 < better["baseline"] < 100


@pytest.mark.parametrize(
    ("source", "expected", "instead"),
    [
        ("x = y\n", 1, None),  # nothing that ruff could repair
        (PYTHON["src/calc.py"], None, 1),  # a line about repairs comes last
        ("x = 1\n", None, 0),  # "All checks passed!"
    ],
)
def test_its_example_for_lint_reads_or_the_line_that_does_is_shown(
    make: Make, source: str, expected: float | None, instead: float | None
) -> None:
    value, better = reading(make, "ruff check src/ 2>&1 | tail -1", r"grep -oP '\d+(?= error)'", source)
    assert (value, better.get("baseline")) == (expected, instead)
