"""Sessions of a marker in a real repository, from the command to what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from workbench import run_command

SCRIPT = """
import time
from pathlib import Path

VALUES = {values}


def propose(view, draft):
    path = Path(draft) / "src" / "work.py"
    lines = path.read_text().splitlines()
    value = VALUES[(view["number"] - 2) % len(VALUES)]
    path.write_text("\\n".join([f"N = {{value}}", *lines[1:]]) + "\\n")
    time.sleep({pause_s})
    return f"N is {{value}}"
"""

FILE = """
markers:
  - name: big score
    target: {mutable: ["src/**/*.py"]}
    metric: {command: python3 measure.py, extract: "grep -oE '[0-9]+'", direction: higher}
    guard: {command: python3 guard.py, rework_attempts: 1}
    loop: {max_experiments: 2, proposer: scripted, script: ../script.py}
    run: {sandbox: false}
"""

KEPT = [("1", "r0001", 10.0, "keep"), ("1", "r0002", 15.0, "keep")]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "a repository"
    files = {
        "src/work.py": "N = 10\n\n\n\nOTHER = 1\n",
        "measure.py": "import sys\nsys.path.insert(0, 'src')\nimport work\nprint(work.N)\n",
        "guard.py": "import sys\nsys.path.insert(0, 'src')\nimport work\nassert work.N < 100, 'too large'\n",
        ".flagstone/config.yaml": FILE,
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "init", "-q")
    commit(root)
    propose(root, 15, 14)
    return root


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, text=True).stdout


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a commit")


def propose(root: Path, *values: int, pause_s: float = 0) -> None:
    """Sets what the scripted proposer writes, one value a run."""
    (root.parent / "script.py").write_text(SCRIPT.format(values=list(values), pause_s=pause_s))


def edit_marker(root: Path, old: str, new: str) -> None:
    path = root / ".flagstone/config.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def start(root: Path, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "flagstone.cli.main", "marker", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, cwd=root, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def marker(root: Path, *words: str, code: int = 0) -> dict[str, Any]:
    done = run_command("flagstone", "marker", *words, "--json", cwd=root)
    assert done.returncode == code, (done.stdout, done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def session(root: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = marker(root, "run", *words)["data"][0]
    return found


def rows(root: Path) -> list[tuple[str, str, float | None, str]]:
    return [(each["home"], each["run"], each["metric"], each["status"]) for each in marker(root, "results")["data"]]


def test_a_session_keeps_what_is_better_and_touches_nothing_of_the_repository(repository: Path) -> None:
    before = git(repository, "for-each-ref"), (repository / ".git/index").read_bytes(), git(repository, "stash", "list")
    found = session(repository, "big score")
    assert (found["runs"], found["kept"], found["discarded"], found["best"]) == (3, 1, 1, 15.0)
    assert rows(repository) == [
        ("1", "r0001", 10.0, "keep"),
        ("1", "r0002", 15.0, "keep"),
        ("1", "r0003", 14.0, "discard"),
    ]
    assert git(repository, "status", "--porcelain", "--ignored") == "!! .flagstone/markers/\n"
    assert (repository / "src/work.py").read_text().startswith("N = 10\n")
    after = git(repository, "for-each-ref"), (repository / ".git/index").read_bytes(), git(repository, "stash", "list")
    assert after == before


def test_a_further_session_goes_on_from_the_best(repository: Path) -> None:
    session(repository)
    propose(repository, 0, 0, 0, 20, 16)
    assert (session(repository)["best"], len(rows(repository))) == (20.0, 5)


def test_the_best_is_put_onto_a_commit_made_meanwhile_and_measured_anew(repository: Path) -> None:
    session(repository)
    work = repository / "src/work.py"
    work.write_text(work.read_text().replace("OTHER = 1", "OTHER = 2"))
    commit(repository)
    found = session(repository, "--experiments", "1")
    assert rows(repository)[3:] == [("2", "r0001", 10.0, "keep"), ("2", "r0002", 15.0, "keep")]
    assert (found["runs"], found["kept"], found["discarded"]) == (2, 0, 0)
    (state,) = marker(repository, "status")["data"]
    assert (state["runs"], state["kept"]) == (5, 1)


def test_a_commit_that_contains_the_best_is_the_new_base(repository: Path) -> None:
    session(repository)
    work = repository / "src/work.py"
    work.write_text(work.read_text().replace("N = 10", "N = 15"))
    commit(repository)
    propose(repository, 17)
    session(repository, "--experiments", "1")
    assert rows(repository)[3:] == [("2", "r0001", 15.0, "keep"), ("2", "r0002", 17.0, "keep")]


def test_a_best_that_does_not_merge_is_named_and_nothing_is_lost(repository: Path) -> None:
    session(repository)
    work = repository / "src/work.py"
    work.write_text(work.read_text().replace("N = 10", "N = 12"))
    commit(repository)
    session(repository, "--experiments", "1")
    found = marker(repository, "results")["data"]
    assert "does not merge" in found[-1]["reason"]
    assert len(found) == 5


def test_a_measure_that_was_changed_begins_a_new_experiment(repository: Path) -> None:
    session(repository)
    edit_marker(repository, "command: python3 measure.py", "command: python3 measure.py; true")
    commit(repository)
    session(repository, "--experiments", "1")
    assert rows(repository)[3:] == [("2", "r0001", 10.0, "keep"), ("2", "r0002", 15.0, "keep")]


def test_what_the_guard_refuses_is_repaired_once_and_does_not_count_as_an_experiment(repository: Path) -> None:
    propose(repository, 500, 60, 50)
    found = session(repository)
    words = [(row["metric"], row["guard"], row["status"]) for row in marker(repository, "results")["data"]]
    assert words == [
        (10.0, "pass", "keep"),
        (500.0, "fail", "discard"),
        (60.0, "pass", "keep"),
        (50.0, "--", "discard"),
    ]
    assert found["ended_by"] == "session_experiments"


def test_uncommitted_edits_of_what_may_change_are_refused_until_head_is_asked_for(repository: Path) -> None:
    session(repository)
    (repository / "src/work.py").write_text("N = 1\n")
    assert "uncommitted changes: src/work.py" in marker(repository, "run", code=2)["message"]
    assert session(repository, "--head")["baseline"] == 10.0


def test_too_many_failures_ask_for_a_person(repository: Path) -> None:
    edit_marker(
        repository, "    run:", "    escalation: {refine_after: 1, pivot_after: 2, halt_after_pivots: 1}\n    run:"
    )
    commit(repository)
    propose(repository, 3, 2, 1)
    assert (session(repository)["ended_by"], session_status(repository)) == ("halt", "needs_human")
    assert "needs a person" in marker(repository, "run", "--force", code=2)["message"]
    propose(repository, 4, 30)
    found = session(repository, "--resume", "--experiments", "2")
    assert (found["runs"], found["best"], session_status(repository)) == (2, 30.0, "active")
    assert {home for home, *_ in rows(repository)} == {"1"}
    propose(repository, 1, 2, 3)
    assert session(repository)["ended_by"] == "halt"


def test_after_a_halt_a_commit_made_meanwhile_is_the_new_base(repository: Path) -> None:
    escalation = "escalation: {refine_after: 1, pivot_after: 2, halt_after_pivots: 1}"
    edit_marker(repository, "    run:", f"    {escalation}\n    run:")
    edit_marker(repository, "max_experiments: 2", "max_experiments: 9")
    commit(repository)
    propose(repository, 15, 2, 1)
    assert (session(repository)["ended_by"], len(rows(repository))) == ("halt", 4)
    work = repository / "src/work.py"
    work.write_text(work.read_text().replace("OTHER = 1", "OTHER = 2"))
    commit(repository)
    found = session(repository, "--resume", "--experiments", "1")
    assert (found["ended_by"], session_status(repository)) == ("session_experiments", "active")
    assert rows(repository)[4:] == [("2", "r0001", 10.0, "keep"), ("2", "r0002", 15.0, "keep")]


def test_a_hint_names_the_repository_that_was_named_and_the_keys_of_the_marker(repository: Path) -> None:
    (repository / "src/work.py").write_text("N = 1\n")
    process = start(repository.parent, "run", "--repo", repository.name)
    said = process.communicate(timeout=100)[1]
    assert (process.returncode, "give --head" in said, "experiment.yaml" in said) == (2, True, False)
    git(repository, "checkout", "-q", "src/work.py")
    process = start(repository.parent, "status", "big score", "--repo", repository.name)
    assert f"next: flagstone marker --repo '{repository.name}' run 'big score'" in process.communicate(timeout=100)[0]


def test_all_markers_end_with_the_code_of_the_one_that_failed(repository: Path) -> None:
    path = repository / ".flagstone/config.yaml"
    path.write_text(
        path.read_text() + FILE.replace("markers:", "").replace("big score", "other").replace("src/", "no/")
    )
    commit(repository)
    alone, found = marker(repository, "run", "other", code=2), marker(repository, "run", code=2)
    assert found["data"][1]["error"] == alone["message"]
    assert found["data"][0]["best"] == 15.0


def test_failed_ideas_are_listed_and_an_idea_of_a_person_is_added(repository: Path) -> None:
    propose(repository, 500, 60, 50)
    session(repository)
    added = marker(repository, "ideas", "--add", "try idea number two", "--drop", "1/r0004")["data"]
    assert [each["text"] for each in added["wanted"]] == ["try idea number two"]
    failed = [(each["run"], each["metric"], each["is_dropped"]) for each in added["failed"]]
    assert failed == [("1/r0002", 500.0, False), ("1/r0004", 50.0, True)]
    assert "AssertionError: too large" in added["failed"][0]["why"]


AGENT = """
import sys
from pathlib import Path

Path("src/work.py").write_text("N = 40\\n")
wanted = [line for line in sys.stdin.read().splitlines() if line == "idea-1: forty of them"]
print("idea-1 was taken" if wanted else "nothing was wanted")
"""


def test_an_idea_of_a_person_is_in_the_next_prompt_of_an_agent(repository: Path) -> None:
    (repository.parent / "agent.py").write_text(AGENT)
    argv = json.dumps([sys.executable, str(repository.parent / "agent.py")])
    edit_marker(repository, "    run:", f"    agent: {{driver: command, options: {{argv: {argv}}}}}\n    run:")
    edit_marker(repository, ", proposer: scripted, script: ../script.py", "")
    commit(repository)
    marker(repository, "ideas", "--add", "forty of them")
    session(repository, "--experiments", "1")
    wanted = marker(repository, "ideas")["data"]["wanted"][0]
    assert wanted["tried_in"] == [{"run": "1/r0002", "status": "keep", "metric": 40.0}]


def test_each_session_leaves_a_page_with_what_was_kept_and_why(repository: Path) -> None:
    session(repository)
    written = repository / ".flagstone/markers/big score/summary.html"
    text = written.read_text()
    assert marker(repository, "results", "--page")["data"]["page"] == str(written)
    for words in ("10 → 15", "better than r0001", "+N = 15", "data:image/svg+xml;base64,", "1/r0003", "the noise rule"):
        assert words in text, words


def test_a_session_that_was_interrupted_leaves_its_page_too(repository: Path) -> None:
    propose(repository, 15, 16, pause_s=2)
    process = start(repository, "run")
    wait_for(repository / ".flagstone/markers/big score/1/runs/r0003")
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    assert "10 → 15" in (repository / ".flagstone/markers/big score/summary.html").read_text()


def session_status(root: Path) -> str:
    return str(marker(root, "status")["data"][0]["status"])


def test_a_paused_marker_runs_only_with_force(repository: Path) -> None:
    marker(repository, "pause")
    assert "its status is paused" in marker(repository, "run", code=2)["message"]
    assert session(repository, "--force")["kept"] == 1
    marker(repository, "pause")
    assert session_status(repository) == "active"


def test_a_scheduled_session_leaves_a_marker_out_that_is_at_rest(repository: Path) -> None:
    marker(repository, "pause")
    assert marker(repository, "run", "--scheduled")["data"] == []
    marker(repository, "pause")
    (repository / "src/work.py").write_text("N = 99\n")
    assert session(repository, "--scheduled")["baseline"] == 10.0


def test_a_hidden_check_that_hides_nothing_is_named(repository: Path) -> None:
    edit_marker(repository, "    guard:", "    hidden: {command: python3 guard.py}\n    guard:")
    commit(repository)
    process = start(repository, "run")
    assert "agents can read all that the hidden check uses" in process.communicate(timeout=300)[1]


def test_a_target_that_is_met_ends_the_session_at_once(repository: Path) -> None:
    edit_marker(repository, "direction: higher", "direction: higher, target: 9, baseline: 3")
    commit(repository)
    found = session(repository)
    assert (found["runs"], found["ended_by"], found["status"]) == (1, "primary_threshold", "completed")


def test_a_second_session_of_a_marker_is_told_who_holds_it(repository: Path) -> None:
    propose(repository, 15, pause_s=3)
    first = start(repository, "run")
    wait_for(repository / ".flagstone/markers/big score/1/runs/r0002")
    message = marker(repository, "run", code=2)["message"]
    assert "marker big score" in message and str(first.pid) in message
    first.communicate(timeout=300)


def wait_for(path: Path) -> None:
    end = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.02)


@pytest.mark.parametrize("run", ["r0001", "r0002", "r0003"])
def test_a_session_that_was_killed_makes_the_experiments_that_it_had_left(repository: Path, run: str) -> None:
    propose(repository, 15, 16, 17, 18, pause_s=0.3)
    process = start(repository, "run")
    wait_for(repository / f".flagstone/markers/big score/1/runs/{run}")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=300)
    session(repository)
    assert rows(repository) == [
        ("1", "r0001", 10.0, "keep"),
        ("1", "r0002", 15.0, "keep"),
        ("1", "r0003", 16.0, "keep"),
    ]


HOSTILE = """N = 11
for name in ("extract.py", "src/sitecustomize.py", "json.py"):
    open(name, "w").write("print(999)\\nraise SystemExit")
"""


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_a_candidate_cannot_write_what_reads_its_number(repository: Path, sandbox: str) -> None:
    (repository / "extract.py").write_text("import json, sys\nprint(json.load(sys.stdin))\n")
    edit_marker(repository, "extract: \"grep -oE '[0-9]+'\"", "extract: python3 extract.py")
    # what is forged is 999
    number = "command: python3 measure.py, extract: python3 extract.py, threshold: 900, direction: lower"
    own = f"guard: {{{number}, rework_attempts: 0}}"
    edit_marker(repository, "guard: {command: python3 guard.py, rework_attempts: 1}", own)
    edit_marker(repository, "sandbox: false", f"sandbox: {sandbox}")
    edit_marker(repository, "script: ../script.py", "script: ../edits")
    commit(repository)
    edits = {"0002/src/work.py": HOSTILE, "0003/src/sitecustomize.py": "import os\nos.write(1, b'9')\nos._exit(0)\n"}
    for path, text in edits.items():
        (repository.parent / "edits" / path).parent.mkdir(parents=True)
        (repository.parent / "edits" / path).write_text(text)
    session(repository)
    assert rows(repository) == [
        ("1", "r0001", 10.0, "keep"),
        ("1", "r0002", 11.0, "keep"),
        ("1", "r0003", None, "violation"),
    ]


def test_a_file_in_the_place_of_a_module_of_python_is_a_violation(repository: Path) -> None:
    edit_marker(repository, "script: ../script.py", "script: ../edits")
    commit(repository)
    for path in ("0002/src/json.py", "0003/src/more.py"):
        (repository.parent / "edits" / path).parent.mkdir(parents=True)
        (repository.parent / "edits" / path).write_text("N = 1\n")
    session(repository)
    found = marker(repository, "results")["data"]
    assert [each["status"] for each in found] == ["keep", "violation", "discard"]
    assert found[1]["reason"] == "src/json.py would be imported in place of Python's own module json"


def test_an_empty_name_runs_no_marker(repository: Path) -> None:
    assert "empty" in marker(repository, "run", "", code=2)["message"]


def test_a_marker_that_needs_a_person_is_not_made_active_by_pause(repository: Path) -> None:
    (repository / ".flagstone/markers/big score").mkdir(parents=True)
    (repository / ".flagstone/markers/big score/status.json").write_text(json.dumps({"status": "needs_human"}))
    assert "--resume" in marker(repository, "pause", code=2)["message"]
    assert session_status(repository) == "needs_human"


def test_a_session_that_nobody_can_propose_for_leaves_no_experiment(repository: Path) -> None:
    edit_marker(repository, "proposer: scripted, script: ../script.py", "proposer: agent")
    edit_marker(repository, "run: {", "agent: {driver: command, options: {program: /nowhere/at-all}}\n    run: {")
    commit(repository)
    marker(repository, "run", code=2)
    assert not (repository / ".flagstone/markers/big score/1").exists()


def test_the_note_of_an_edit_that_was_carried_twice_is_not_nested(repository: Path) -> None:
    session(repository)
    for number in (1, 2):
        (repository / "other.txt").write_text(f"{number}")
        commit(repository)
        session(repository)
    notes = [each["description"] for each in marker(repository, "results")["data"]]
    assert "the best of experiment 2, r0002: N is 15" in notes and not any("the best" in note[5:] for note in notes)
