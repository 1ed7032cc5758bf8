"""Marker files: every key holds, and everything that is wrong is said at once, with its line."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from flagstone import markers, schemas
from flagstone.errors import FlagstoneError
from flagstone.markers.durations import duration_s

SCHEMAS = Path(__file__).parents[3] / "schemas"
OWN, OLD, OLDEST = ".flagstone/config.yaml", ".autoresearch/config.yaml", ".autoresearch.yaml"
SMALL = """markers:
  - name: tests
    target: {mutable: [src/*.py]}
    metric: {command: make count, extract: cat, direction: higher}
"""


@pytest.fixture(autouse=True)
def without_personal_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "repository"
    (top / ".git").mkdir(parents=True)
    return top


def write(top: Path, text: str, name: str = OWN) -> Path:
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def problem_of(top: Path) -> str:
    with pytest.raises(FlagstoneError) as caught:
        markers.read_markers(top)
    return caught.value.problem


def test_a_small_marker_has_every_default_of_the_schema(repository: Path) -> None:
    write(repository, SMALL)
    marker = markers.marker_named(repository, None)
    rows = schemas.schema_of(SCHEMAS, "marker")["$defs"]["marker"]["properties"]
    for part in ("metric", "agent", "escalation", "schedule", "finalize", "loop"):
        held = getattr(marker, part)
        for key, row in rows[part]["properties"].items():
            if "default" in row and hasattr(held, key):
                value = getattr(held, key)
                assert (list(value) if isinstance(value, tuple) else value) == row["default"], key
    assert marker.loop.budget_per_experiment_s == 600
    assert (marker.file, marker.repository) == (repository / OWN, repository)


@pytest.mark.parametrize("name", ["a..b", "x.lock", "x."])
def test_a_name_that_git_has_no_branch_for_is_refused_at_once(repository: Path, name: str) -> None:
    write(repository, SMALL.replace("name: tests", f"name: {name}"))
    assert f"config.yaml:2:name: '{name}' is no part of a branch" in problem_of(repository)


def test_everything_that_is_wrong_is_said_at_once_with_its_line(repository: Path) -> None:
    text = """markers:
  - name: a/b
    target: {mutable: [/etc/passwd, ../x], immutable: []}
    metric:
      comand: x
      extract: y
      direction: hihger
    loop: {budget_per_experiment: 0m, max_experiments: 5}
    agent: {max_experiments: 6}
    guard: {command: x, extract: y, passes: {of: 2, need: 3}}
    schedule: {type: cron, cron: '61 * * * *'}
  - name: twice
    target: {mutable: []}
    metric: {command: x, extract: y, direction: min}
  - name: twice
    target: {mutable: [a]}
    metric: {command: x, extract: y, direction: max}
"""
    write(repository, text)
    said = problem_of(repository)
    for words in (
        ":2:name: 'a/b' is no name",
        ":3:target.mutable: '/etc/passwd' leaves the repository",
        ":3:target.mutable: '../x' leaves the repository",
        ":5:metric.comand: unknown key 'comand' (did you mean 'command'?)",
        ":4:metric: missing key 'command'",
        ":7:metric.direction: 'hihger' is not one of lower, higher, min, max (did you mean 'higher'?)",
        ":8:loop.budget_per_experiment: '0m' is no duration",
        ":9:agent.max_experiments: 6 disagrees with loop.max_experiments, which is 5",
        ":10:guard.extract: needs guard.threshold as well",
        ":10:guard.passes.need: 3 tries have to succeed, of only 2",
        ":13:target.mutable: [] should be non-empty",
        ":15:name: a marker before it is called 'twice' too",
    ):
        assert f"{OWN}{words}" in said, words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (90, 5400),
        ("90", 5400),
        ("25m", 1500),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2d", 172_800),
        ("45 sec", 45),
        ("10 min", 600),
        ("1d2h3m4s", 93_784),
        (1.5, 90),
    ],
)
def test_a_duration_is_read(text: str | float, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", [0, "0", "0m", "", "-5m", "5x", "30m1h", "1h1h", "h", "1e3", "nan", "٣m", True, "5m\n6"]
)
def test_what_is_no_duration_is_none(text: str | float) -> None:
    assert duration_s(text) is None


def test_a_file_of_the_older_form_is_read_as_it_is(repository: Path) -> None:
    text = """markers:
- name: test-suite-health
  description: "Improve test coverage and reduce test runtime"
  status: active
  target:
    mutable:
    - tests/test_daemon.py
    immutable:
    - src/autoresearch/daemon.py
  metric:
    command: "python3 -m pytest --tb=no -q 2>&1 | tail -1"
    extract: "grep -oP '\\\\d+(?= passed)'"
    direction: higher
    baseline: 2541
    target: null
  guard:
    command: "python3 -m pytest --tb=short -q 2>&1"
    extract: "grep -oP '\\\\d+(?= passed)'"
    threshold: 2541
    rework_attempts: 2
  loop: {model: sonnet, budget_per_experiment: 25m, max_experiments: 10}
  agent:
    name: copilot
    model: sonnet
    permission_mode: bypassPermissions
    allowed_tools: ["Edit(tests/*)", "Bash(python3 *)"]
    disallowed_tools: ["Bash(rm *)"]
  schedule: {type: overnight, duration_hours: 8}
  results: {branch_prefix: better, notify: [me]}
  auto_merge: {enabled: true, gates: [tests], test_command: make test, push_to_remote: false}
"""
    write(repository, text, OLD)
    found = markers.read_markers(repository)
    marker = found.markers[0]
    assert (marker.metric.stderr, marker.metric.baseline, marker.loop.max_experiments) == (True, 2541, 10)
    assert (marker.loop.budget_per_experiment_s, marker.agent.model, marker.loop.model) == (1500, "sonnet", "sonnet")
    assert (marker.branch, marker.finalize.gates) == ("better/test-suite-health", ("make test",))
    assert marker.schedule.duration_s == 8 * 3600
    assert len(found.warnings) == 3
    assert ":28:schedule.duration_hours: means nothing here: write schedule.duration" in found.warnings[0]
    assert schemas.problems(SCHEMAS, "experiment", markers.spec_values(marker)) == []
    os.rename(repository / OLD, write(repository, ""))
    said = problem_of(repository)
    assert f"{OWN}:30:auto_merge.enabled: means nothing here: nothing is merged" in said
    assert said.count("\n") == 2


def test_the_first_of_several_files_counts_and_the_others_are_named(repository: Path) -> None:
    for name in (OLDEST, OLD, OWN):
        write(repository, SMALL, name)
        found = markers.read_markers(repository)
        assert found.path == repository / name
        assert found.markers[0].repository == repository
    assert found.warnings == tuple(f"{name} is not read, because there is {OWN}" for name in (OLD, OLDEST))


def test_a_repository_is_found_from_below(repository: Path) -> None:
    (repository / "a" / "b").mkdir(parents=True)
    assert markers.find_repository(repository / "a" / "b") == repository
    with pytest.raises(FlagstoneError, match="no git repository"):
        markers.find_repository(Path("/"))


def test_a_marker_is_named_or_the_only_one(repository: Path) -> None:
    with pytest.raises(FlagstoneError, match="flagstone marker init"):
        markers.read_markers(repository)
    write(repository, SMALL)
    assert markers.marker_named(repository, None) == markers.marker_named(repository, "tests")
    write(repository, SMALL + SMALL.replace("markers:\n", "").replace("tests", "lint"))
    with pytest.raises(FlagstoneError, match="several markers") as caught:
        markers.marker_named(repository, None)
    assert caught.value.hint == "the markers are: tests, lint"
    with pytest.raises(FlagstoneError, match="no marker 'test'") as caught:
        markers.marker_named(repository, "test")
    assert "did you mean 'tests'?" in caught.value.hint


def test_the_defaults_of_a_person_come_last(repository: Path, tmp_path: Path) -> None:
    write(repository, SMALL + "    loop: {max_experiments: 7, model: opus}\n")
    mine = write(
        tmp_path,
        "agent: {model: haiku, effort: high}\nloop: {max_experiments: 3, budgets: {wall: 2h}}\n",
        "config/flagstone/marker.yaml",
    )
    marker = markers.marker_named(repository, None)
    assert (marker.loop.max_experiments, marker.agent.model, marker.agent.effort) == (7, "opus", "high")
    assert marker.loop.budgets.wall_s == 7200
    mine.write_text("agent:\n  modle: haiku\nmetric: {}\nloop: {budget_per_experiment: soon}\n")
    said = problem_of(repository)
    assert f"{mine}:2:agent.modle: unknown key 'modle' (did you mean 'model'?)" in said
    assert f"{mine}:3:metric: unknown key 'metric'" in said
    assert f"{mine}:4:loop.budget_per_experiment: 'soon' is no duration" in said


def test_only_what_the_hidden_check_alone_uses_is_held_out(repository: Path) -> None:
    for name in ("src/a.py", "hold/data.csv", "tests/test_a.py", "check.py"):
        write(repository, "", name)
    marker = SMALL.replace("make count", "pytest tests/test_a.py")
    write(repository, marker + "    hidden: {command: python check.py hold tests src/a.py | cat}\n")
    values = markers.spec_values(markers.marker_named(repository, None))
    assert values["subject"]["held_out"] == ["check.py", "hold/**"]
    write(repository, marker + "    hidden: {command: python check.py, paths: [hold/**]}\n")
    assert markers.spec_values(markers.marker_named(repository, None))["subject"]["held_out"] == ["hold/**"]


def test_every_key_of_a_marker_reaches_its_experiment(repository: Path) -> None:
    more = """    description: make it pass
    status: paused
    run: {env: {A: b}, gpus: 1, network: true, sandbox: require, scratch: [out]}
    guard:
      {command: g, extract: e, threshold: 3, direction: lower, seconds: 7, passes: {of: 3, need: 2}, rework_attempts: 5}
    hidden: {command: h, seconds: 8}
    loop: {proposer: scripted, script: edits, parallel: 3, budget_per_experiment: 2m, max_experiments: 4}
    escalation: {refine_after: 1, pivot_after: 2, search_after_pivots: 3, halt_after_pivots: 4}
    simplicity: equal-and-shorter
    noise: {alpha: 0.1}
    agent: {driver: command, max_cost: 2, options: {argv: [x]}, model: m}
"""
    wide = "direction: lower, ok_exit: [0, 1], locale: ',', empty: 0, target: 5, repeats: 9, seconds: 6, stderr: true"
    write(repository, SMALL.replace("direction: higher", wide) + more)
    value = markers.spec_values(markers.marker_named(repository, None), at_head=True)
    assert schemas.problems(SCHEMAS, "experiment", value) == []
    assert value["goal"] == "make it pass"
    assert value["metric"] == {
        "name": "tests", "direction": "min", "backend": "command", "extract": "cat", "stderr": True, "locale": ",",
        "empty": 0,
    }  # fmt: skip
    assert value["harness"] == {
        "argv": ["bash", "-c", "make count"], "seconds": 6, "env": {"A": "b"}, "gpus": 1, "exclusive": False,
        "network": True, "ok_exit": [0, 1],
    }  # fmt: skip
    assert value["guard"] == {
        "argv": ["bash", "-c", "g"], "seconds": 7, "extract": "e", "threshold": 3, "direction": "min", "stderr": True,
        "locale": ",", "passes": {"of": 3, "need": 2},
    }  # fmt: skip
    assert (value["rework"], value["lag"], value["rebase"], value["script"]) == (5, 4, True, "edits")
    assert (value["hidden"]["seconds"], value["sandbox"], value["subject"]["scratch"]) == (8, "require", ["out"])
    assert value["noise"] == {"alpha": 0.1, "baseline_repeats": 9, "max_repeats": 30}
    assert value["stopping"] == {"threshold": 5, "on_halt": True}
    assert (value["agent"]["wall_s"], value["agent"]["cost_usd"], value["subject"]["at_head"]) == (120, 2, True)
    assert value["escalation"]["search_after_pivots"] == 3
    timed = SMALL.replace("direction: higher", "direction: lower, timing: true") + "    loop: {parallel: 4}\n"
    write(repository, timed)
    value = markers.spec_values(markers.marker_named(repository, None))
    assert value["harness"]["exclusive"] and "lag" not in value


BOMB = "a: &a [x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 8)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        BOMB,
        "markers: 3",
        "[]",
        "markers: [1, null, [], {name: " + "x" * 1_000_000 + "}]",
        "markers: [{" + "k" * 1_000_000 + ": 1}]",
        "a: &a [x]\n"
        + "".join(
            f"{c}: &{c} [*{b},*{b},*{b},*{b},*{b},*{b},*{b},*{b}]\n"
            for b, c in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "markers: &m [*m]",
        "markers: [{name: 'a\n\n'}]",
        "{" * 5000,
        "1: {2: 3}",
        "\x00",
    ],
)
def test_garbage_is_refused_in_few_words(repository: Path, text: str) -> None:
    write(repository, text)
    assert len(problem_of(repository)) < 5000


def test_bytes_by_chance_never_end_in_a_traceback(repository: Path) -> None:
    chance = random.Random(7)
    valid = SMALL.encode()
    for _ in range(150):
        spoilt = bytearray(valid)
        for _ in range(chance.randint(1, 6)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        path = write(repository, "")
        path.write_bytes(bytes(spoilt) if chance.random() < 0.8 else chance.randbytes(200))
        try:
            markers.read_markers(repository)
        except FlagstoneError as error:
            assert len(error.problem) < 5000


@pytest.mark.parametrize(
    ("schedule", "key"),
    [
        ('{type: cron, cron: "61 * * * *"}', "schedule.cron"),
        ("{type: overnight, timezone: Mars/Base}", "schedule.timezone"),
    ],
)
def test_a_schedule_that_never_comes_is_an_error_at_its_key(tmp_path: Path, schedule: str, key: str) -> None:
    (tmp_path / ".flagstone").mkdir()
    text = f"markers:\n  - name: m\n    target: {{mutable: ['*.py']}}\n    schedule: {schedule}\n"
    text += "    metric: {command: 'true', extract: cat, direction: lower}\n"
    (tmp_path / ".flagstone/config.yaml").write_text(text)
    with pytest.raises(FlagstoneError, match=rf"config\.yaml:4:.*{key}"):
        markers.read_markers(tmp_path)


def test_numbers_with_an_exponent_are_numbers(repository: Path, tmp_path: Path) -> None:
    text = SMALL.replace("direction: higher", "direction: higher, baseline: 1e-3, target: 2E5, empty: .5e1")
    write(repository, f"{text}    noise: {{alpha: 1e-2}}\n    loop: {{budgets: {{usd: 1e1}}}}\n")
    marker = markers.marker_named(repository, None)
    assert (marker.metric.baseline, marker.metric.target, marker.metric.empty) == (0.001, 200_000, 5)
    assert marker.noise is not None and marker.noise.alpha == 0.01
    assert marker.loop.budgets.usd == 10
    write(tmp_path, "loop: {budgets: {tokens: 1e6}}\n", "config/flagstone/marker.yaml")
    assert markers.person_defaults()["loop"]["budgets"]["tokens"] == 1_000_000


def test_text_with_an_exponent_stays_text_where_text_is_asked_for(repository: Path) -> None:
    write(repository, SMALL.replace("name: tests", "name: 1e3").replace("command: make count", "command: 2e3"))
    marker = markers.marker_named(repository, None)
    assert (marker.name, marker.metric.command) == ("1e3", "2e3")
    write(repository, SMALL.replace("direction: higher", "direction: higher, baseline: 1e-3x"))
    assert "'1e-3x' should be a number" in problem_of(repository)
