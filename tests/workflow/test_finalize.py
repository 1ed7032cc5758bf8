"""From what a marker kept to a branch of a person: the whole command, in a real repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workbench import run_command

# two edits that are better alone, one that needs the first, one that is worse, one that edits the second further
EDITS = [
    ("one", 10, "Raise \x1b[31mone\x1b[0m for sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789"),
    ("two", 10, "Raise two\n\nSigned-off-by: nobody"),
    ("three", 10, "Raise three, which needs one"),
    ("one", 0, "Lower one"),
    ("two", 20, "Raise two further"),
]
SCRIPT = f"""
from pathlib import Path

EDITS = {EDITS!r}


def propose(view, draft):
    name, value, note = EDITS[(view["number"] - 2) % len(EDITS)]
    (Path(draft) / "src" / f"{{name}}.py").write_text(f"N = {{value}}\\n")
    return note
"""
MEASURE = """
import os, sys, time
sys.path.insert(0, 'src')
import one, two, three
with open(os.environ["COUNTED"], "a") as log:
    log.write("measured\\n")
time.sleep(float(os.environ.get("PAUSE_S", 0)))
two = 0 if os.path.exists(os.environ["COUNTED"] + ".without-two") else two.N
print(one.N + two + (three.N if one.N == 10 else 1))
"""
FILE = """
markers:
  - name: big score
    target: {mutable: ["src/**/*.py"]}
    metric: {command: python3 measure.py, extract: "grep -oE '[0-9]+'", direction: higher}
    guard: {command: "true"}
    loop: {max_experiments: 5, proposer: scripted, script: ../script.py}
    noise: "off"
    run: {sandbox: false}
"""
BRANCH = "flagstone/big-score"
Marker = Callable[..., dict[str, Any]]


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def commit(root: Path, title: str) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--no-verify", "-m", title)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prepared") / "a repository"
    for name in ("one", "two", "three"):
        put(root, f"src/{name}.py", "N = 1\n")
    put(root, "measure.py", MEASURE)
    put(root, ".flagstone/config.yaml", FILE)
    put(root, "../script.py", SCRIPT)
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Ada Löv")
    git(root, "config", "user.email", "ada@example.org")
    commit(root, "the first")
    put(root, "README.md", "hello\n")
    commit(root, "the base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTED", str(root.parent / "counted"))
        assert marker(root, "run")["data"][0]["kept"] == 4
    return root


@pytest.fixture
def repository(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose marker has had a session: r0002, r0003, r0004 and r0006 were kept."""
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    shutil.copytree(prepared.parent, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path / prepared.name


def start(root: Path, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "flagstone.cli.main", "marker", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, cwd=root, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def marker(root: Path, *words: str, code: int = 0) -> dict[str, Any]:
    done = run_command("flagstone", "marker", *words, "--json", cwd=root)
    assert done.returncode == code, (done.stdout, done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def finalize(root: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = marker(root, "finalize", *words)["data"]
    return found


def runs(found: dict[str, Any]) -> list[tuple[list[str], float, float]]:
    return [(each["runs"], each["before"], each["value"]) for each in found["commits"]]


def lost(found: dict[str, Any]) -> list[tuple[list[str], str]]:
    return [(each["runs"], each["reason"]) for each in found["left_out"]]


def what_stands(root: Path) -> dict[str, str]:
    """Every file of the repository with its content, and every link; not what flagstone keeps for itself."""
    found = {}
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not (name == "markers" and place.endswith(".flagstone"))]
        for name in (*names, *folders):
            path = Path(place, name)
            found[os.path.relpath(path, root)] = path.read_bytes().hex() if path.is_file() else "a folder"
    return found


def measured_times(root: Path) -> int:
    return len((root.parent / "counted").read_text().splitlines())


def test_each_group_is_one_clean_commit_and_nothing_else_is_touched(repository: Path, tmp_path: Path) -> None:
    for hook in ("reference-transaction", "pre-commit", "commit-msg", "post-checkout", "post-merge"):
        put(repository, f".git/hooks/{hook}", f"#!/bin/sh\ntouch {tmp_path}/ran-{hook}\nexit 1\n")
        (repository / ".git/hooks" / hook).chmod(0o755)
    put(repository, "README.md", "edited, not committed\n")
    put(repository, "untracked", "here\n")
    before = what_stands(repository)
    found = finalize(repository)
    after = what_stands(repository)
    assert runs(found) == [(["r0002", "r0004"], 3, 21), (["r0003", "r0006"], 21, 40)]
    assert (found["left_out"], found["difference"], found["is_behind"]) == ([], "", False)
    assert {path for path in before if before[path] != after.get(path)} == set()
    new = {path for path in after if path not in before and not path.startswith(".git/objects/")}
    assert {path.removesuffix("/flagstone") for path in new} == {
        *(f".git/{refs}" for refs in ("refs/heads", "logs/refs/heads")),
        *(f".git/{refs}/{BRANCH}" for refs in ("refs/heads", "logs/refs/heads")),
    }
    assert not list(tmp_path.glob("ran-*"))
    git(repository, "fsck", "--strict")
    assert git(repository, "log", "--format=%an %cn <%ae> %s", "main..", BRANCH, "--not", "main").splitlines() == [
        "Ada Löv Ada Löv <ada@example.org> Raise two Signed-off-by: nobody (and 1 more)",
        "Ada Löv Ada Löv <ada@example.org> Raise one for [redacted key] (and 1 more)",
    ]
    assert git(repository, "merge-base", "main", BRANCH) == git(repository, "rev-parse", "main")
    assert git(repository, "diff", "--name-only", f"main..{BRANCH}").split() == [
        "src/one.py",
        "src/three.py",
        "src/two.py",
    ]
    message = git(repository, "log", "-1", "--format=%B|%(trailers)", BRANCH)
    assert "big score: 21 -> 40 (n = 1)\nRuns: r0003, r0006\n" in message
    assert "- r0006: Raise two further" in message
    assert message.rstrip().endswith("|")  # a note cannot make a trailer


def test_one_commit_has_all_of_it(repository: Path) -> None:
    found = finalize(repository, "--one", "--branch", "better")
    assert runs(found) == [(["r0002", "r0003", "r0004", "r0006"], 3, 40)]
    assert git(repository, "rev-list", "--count", "main..better").strip() == "1"


def test_where_a_program_that_measures_is_another_by_now_everything_is_measured_anew(repository: Path) -> None:
    found = finalize(repository, "--one")
    record = repository / ".flagstone/markers/big score" / found["measured_in"] / "start.json"
    record.write_text(re.sub("[0-9a-f]{64}", "0" * 64, record.read_text(), count=1))
    assert found["measured_in"] == "finalizing-1-1"
    assert finalize(repository, "--one", "--branch", "better")["measured_in"] == "finalizing-1-2"


def test_each_independent_group_gets_a_branch_of_its_own(repository: Path) -> None:
    found = finalize(repository, "--each")
    assert runs(found) == [(["r0002", "r0004"], 3, 21), (["r0003", "r0006"], 3, 22)]
    assert list(found["branches"]) == [f"{BRANCH}-1", f"{BRANCH}-2"]
    for number, files in ((1, ["src/one.py", "src/three.py"]), (2, ["src/two.py"])):
        assert git(repository, "diff", "--name-only", f"main..{BRANCH}-{number}").split() == files
        assert git(repository, "rev-list", "--count", f"main..{BRANCH}-{number}").strip() == "1"


def test_a_group_that_does_not_pass_a_gate_or_is_no_better_any_more_is_left_out_and_named(repository: Path) -> None:
    config = repository / ".flagstone/config.yaml"
    config.write_text(FILE + '    finalize: {gates: ["true", "! grep 20 src/two.py"]}\n')
    found = finalize(repository)
    assert runs(found) == [(["r0002", "r0004"], 3, 21)]
    [(left, reason)] = lost(found)
    said, _, log = reason.partition(": see ")
    assert (left, said) == (["r0003", "r0006"], "the gate ended with exit code 1: N = 20 (! grep 20 src/two.py)")
    assert (repository / log).read_text() == "N = 20\n"
    assert "left out" in found["difference"]
    git(repository, "branch", "-D", BRANCH)
    (repository.parent / "counted.without-two").touch()
    config.write_text(FILE.replace("measure.py,", 'measure.py "again",'))
    found = finalize(repository)
    assert runs(found) == [(["r0002", "r0004"], 2, 20)]
    assert [each for each, _ in lost(found)] == [["r0003", "r0006"]]
    assert "no better than" in lost(found)[0][1]


def test_where_a_gate_fails_for_everything_there_is_no_branch(repository: Path) -> None:
    (repository / ".flagstone/config.yaml").write_text(FILE + '    finalize: {gates: ["false"]}\n')
    found = marker(repository, "finalize", code=3)
    assert "r0002, r0004: the gate ended with exit code 1 (false): see " in found["message"]
    assert BRANCH not in git(repository, "branch", "--list", BRANCH)
    # what was measured holds; only the gate is tried again
    before = measured_times(repository)
    (repository / ".flagstone/config.yaml").write_text(FILE)
    assert len(finalize(repository)["commits"]) == 2
    assert measured_times(repository) <= before + 1


def test_what_the_guard_refused_is_tried_again_by_the_next_call(repository: Path) -> None:
    guard = """'! test -e "$COUNTED".strict || ! grep 20 src/two.py'"""
    (repository / ".flagstone/config.yaml").write_text(FILE.replace('{command: "true"}', f"{{command: {guard}}}"))
    strict = repository.parent / "counted.strict"
    strict.touch()
    found = finalize(repository)
    assert (runs(found), [each for each, _ in lost(found)]) == ([(["r0002", "r0004"], 3, 21)], [["r0003", "r0006"]])
    strict.unlink()
    assert len(finalize(repository, "--branch", "again")["commits"]) == 2


def test_a_branch_that_exists_is_refused_before_anything_is_measured(repository: Path) -> None:
    git(repository, "branch", BRANCH)
    before = measured_times(repository)
    assert f"branch {BRANCH} exists" in marker(repository, "finalize", code=2)["message"]
    assert measured_times(repository) == before
    assert finalize(repository, "--branch", "another")["branches"].keys() == {"another"}


def test_without_anything_kept_there_is_nothing_to_finalize(repository: Path) -> None:
    finalize(repository)
    git(repository, "merge", "-q", BRANCH)
    marker(repository, "run", "--experiments", "1")
    assert "there is nothing to finalize" in marker(repository, "finalize", "--branch", "more", code=2)["message"]


def test_the_result_is_put_onto_a_head_that_has_moved(repository: Path) -> None:
    put(repository, "README.md", "another\n")
    put(repository, "src/two.py", "N = 4\n")
    commit(repository, "a commit made meanwhile")
    of_marker = repository / ".flagstone/markers/big score"
    began = json.loads((of_marker / "1/start.json").read_text())
    # what a kill leaves of a call without --onto
    put(of_marker, "finalizing-1-1/origin.json", json.dumps({key: began[key] for key in ("tree", "commit")}))
    found = finalize(repository, "--onto", "HEAD")
    assert runs(found) == [(["r0002", "r0004"], 6, 24)]
    assert [each for each, _ in lost(found)] == [["r0003"], ["r0006"]]
    assert git(repository, "merge-base", "main", BRANCH) == git(repository, "rev-parse", "main")
    assert git(repository, "diff", "--name-only", f"main..{BRANCH}").split() == ["src/one.py", "src/three.py"]
    older = finalize(repository, "--branch", "older")
    assert (older["is_behind"], len(older["commits"]), older["difference"]) == (True, 2, "")


def test_a_kill_at_any_time_leaves_no_branch_or_the_whole_and_nothing_is_measured_twice(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAUSE_S", "0.1")
    before, kills, delay_s = measured_times(repository), 0, 0.3
    while True:
        process = start(repository, "finalize", "--json")
        try:
            process.wait(delay_s)
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills, delay_s = kills + 1, delay_s + 0.15
            time.sleep(0.1)
        if git(repository, "branch", "--list", BRANCH):
            break
    assert git(repository, "rev-list", "--count", f"main..{BRANCH}").strip() == "2"
    once = {path.parent.name for path in repository.glob(".flagstone/markers/*/finalizing-*/runs/r*/run.log")}
    # a kill in a measurement costs that one; the others stand
    assert len(once) <= measured_times(repository) - before <= len(once) + kills
    assert kills > 3
    git(repository, "fsck", "--strict")


SHIM = """#!/bin/sh
case "$*" in
  *" fetch "*refs/heads/*)
    case $KILL in
      before) kill -9 $PPID; exit 1 ;;
      during) {git} "$@" & sleep 0.01; kill -9 $! $PPID; exit 1 ;;
      after) {git} "$@"; kill -9 $PPID; exit 0 ;;
    esac ;;
esac
exec {git} "$@"
"""


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_a_kill_around_the_fetch_leaves_no_branch_or_the_whole(
    repository: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    place = os.environ["PATH"]
    put(repository, "../bin/git", SHIM.replace("{git}", shutil.which("git") or ""))
    (repository / "../bin/git").chmod(0o755)
    monkeypatch.setenv("KILL", moment)
    monkeypatch.setenv("PATH", f"{repository.parent}/bin:{place}")
    process = start(repository, "finalize")
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    monkeypatch.setenv("PATH", place)
    measured, is_made = measured_times(repository), bool(git(repository, "branch", "--list", BRANCH))
    assert is_made or moment != "after"
    assert not (is_made and moment == "before")
    assert len(finalize(repository, "--branch", "again")["commits"]) == 2
    assert measured_times(repository) == measured
    assert not is_made or git(repository, "diff", "--stat", BRANCH, "again") == ""
    git(repository, "fsck", "--strict")
