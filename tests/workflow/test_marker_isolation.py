"""A session of a marker touches nothing of a person's repository, whatever an agent and a candidate's code try."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from workbench import run_command

DOUBLE = Path(__file__).parents[1] / "doubles" / "hostile_agent.py"
MARKER = """
markers:
  - name: score
    target: {{mutable: ["src/**/*.py"], immutable: ["src/frozen.py"]}}
    metric: {{command: python3 measure.py, extract: "grep -oE '^[0-9]+$'", direction: higher}}
    noise: off
    guard: {{command: python3 guard.py, rework_attempts: 0}}
    hidden: {{command: python3 kept/check.py, paths: ["kept/**"]}}
    loop: {{max_experiments: 5}}
    agent: {{driver: command, options: {{argv: {argv}}}}}
    run: {{sandbox: {sandbox}}}
"""
SMALL = """
markers:
  - name: score
    target: {mutable: ["src/**/*.py"]}
    metric: {command: python3 measure.py, extract: cat, direction: higher}
    noise: off
    loop: {max_experiments: 1, proposer: scripted, script: ../script.py}
"""
SCRIPT = """
from pathlib import Path

def propose(view, draft):
    Path(draft, "src/work.py").write_text("N = 20\\n")
    return "more"
"""
WORKING = """#!/bin/sh
case $PWD in
*/r0002/draft)
  git mv src/old.py src/moved.py 2>/dev/null || mv src/old.py src/moved.py
  mkdir src/deep && echo 'M = 30' > src/deep/new.py
  echo 'from deep.new import M as N' > src/work.py ;;
*)
  echo 'N = 99' > src/work.py && echo hello > notes.md && mkdir extra && echo hello > extra/more.txt ;;
esac
echo done
"""
READ_N = "import sys\nsys.path[:0] = ['src', 'lib']\nimport work, frozen, module\n"
FILES = {
    "src/work.py": "N = 10\n",
    "src/frozen.py": "SCALE = 1\n",
    "src/with space.py": "A = 1\n",
    "src/ünï.py": "B = 1\n",
    "src/line\nbreak.py": "C = 1\n",
    "docs/a\tfile — 文.md": "text\n",
    "README.md": "hello\n",
    "notes.txt": "notes\n",
    "measure.py": f"{READ_N}print(work.N * frozen.SCALE * module.X)\n",
    "guard.py": f"{READ_N}assert work.N < 100\n",
    "kept/check.py": "import sys\nassert 'secret' in open('kept/secret.txt').read()\n",
    "kept/secret.txt": "the secret is 42\n",
    ".gitignore": "data/\n*.log\n",
    ".gitattributes": "*.md filter=odd\n",
}
FAILING = "#!/bin/sh\necho no >&2\nexit 1\n"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")
    # what a person's own settings start is left out only while the repository is made
    inert = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "filter.odd.clean=cat")
    argv = ["git", *who, *inert, *words]
    return subprocess.run(argv, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def put(place: Path, text: str, mode: int = 0o644) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(mode)


def library(root: Path) -> Path:
    """A repository to be a submodule."""
    put(root / "module.py", "X = 1\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a library")
    return root


def make_repository(root: Path, sandbox: str) -> None:
    """One with everything that a person may have in it."""
    words = [sys.executable, str(DOUBLE), str(root), "free" if sandbox == "off" else "held"]
    marker = MARKER.format(argv=json.dumps(words), sandbox=json.dumps(sandbox))
    for path, text in {**FILES, ".flagstone/config.yaml": marker}.items():
        put(root / path, text)
    git(root, "init", "-q", "-b", "main")
    git(root, "submodule", "-q", "add", str(library(root.parent / "library")), "lib")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    git(root, "commit", "-q", "--allow-empty", "-m", "second")
    git(root, "branch", "side")
    git(root, "tag", "v1")
    git(root, "init", "-q", "--bare", str(root.parent / "remote.git"))
    git(root, "remote", "add", "origin", str(root.parent / "remote.git"))
    git(root, "push", "-q", "-u", "origin", "main")
    put(root / "notes.txt", "for later\n")
    git(root, "stash")
    add_local_state(root)


def add_local_state(root: Path) -> None:
    """What is in no commit: staged, edited, new and ignored files, hooks, and settings that start programs."""
    put(root / "README.md", "staged\n")
    git(root, "add", "README.md")
    put(root / "notes.txt", "edited\n")
    put(root / "src/with space.py", "A = 2\n")
    put(root / "untracked.txt", "untracked\n")
    put(root / "data/ignored.bin", "ignored\n", 0o600)
    put(root / "lib/local.txt", "in the submodule\n")
    for name in ("pre-commit", "reference-transaction", "pre-push", "post-index-change"):
        put(root / ".git/hooks" / name, FAILING, 0o755)
    program = root.parent / "program"
    put(program, f"#!/bin/sh\ntouch '{root.parent}/ran'\n", 0o755)
    git(root, "config", "core.fsmonitor", str(program))
    git(root, "config", "filter.odd.clean", str(program))
    git(root, "config", "core.pager", str(program))


def everything(*roots: Path) -> dict[str, tuple[object, ...]]:
    """Each file, link and folder with its mode, its times and its content; not what sessions write."""
    found: dict[str, tuple[object, ...]] = {}
    for root in roots:
        for place, folders, names in os.walk(root):
            folders[:] = [name for name in folders if Path(place, name) != root / ".flagstone"]
            for path in (Path(place, name) for name in (*folders, *names)):
                status = path.lstat()
                content = os.readlink(path) if path.is_symlink() else b"" if path.is_dir() else path.read_bytes()
                digest = hashlib.sha256(os.fsencode(content)).hexdigest()
                found[str(path)] = (status.st_mode, digest, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


def without_times_of_objects(found: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {path: facts[:3] if "/.git/objects/" in path else facts for path, facts in found.items()}


def session(root: Path, *words: str, code: int = 0) -> str:
    """What a session prints for a person."""
    env = {**os.environ, "HOME": str(root.parent / "home")}
    done = run_command("flagstone", "marker", "run", *words, cwd=root, env=env)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def ledger(root: Path) -> list[dict[str, Any]]:
    lines = (root / ".flagstone/markers/score/1/ledger.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def outputs(root: Path) -> str:
    runs = root / ".flagstone/markers/score/1/runs"
    return "\n".join(path.read_text(errors="replace") for path in sorted(runs.rglob("*")) if path.is_file())


@pytest.mark.parametrize(("sandbox", "is_detached"), [("auto", False), ("auto", True), ("off", False)])
def test_a_hostile_agent_and_its_code_change_nothing_of_the_repository(
    tmp_path: Path, sandbox: str, is_detached: bool
) -> None:
    root = tmp_path / "the repository"
    make_repository(root, sandbox)
    put(tmp_path / "home/.gitconfig", "[user]\n\tname = Ada\n")
    if is_detached:
        git(root, "checkout", "-q", "--detach")
    before = everything(root, tmp_path / "home", tmp_path / "remote.git", tmp_path / "library")
    session(root, "--head")
    after = everything(root, tmp_path / "home", tmp_path / "remote.git", tmp_path / "library")
    if sandbox == "off":  # git sets the time of an object that it reads and would write again
        before, after = without_times_of_objects(before), without_times_of_objects(after)
    assert {path: after.get(path) for path in before} == before
    assert after.keys() == before.keys()
    assert not (tmp_path / "ran").exists(), "a program that the repository's settings name was started"
    rows = [(row["status"], row["value"], row["verdict"]) for row in ledger(root)]
    assert rows == [
        ("ok", 10.0, "advance"),
        ("ok", 20.0, "advance"),
        ("violation", None, "invalid"),
        ("violation", None, "invalid"),
        ("ok", 5.0, "revert"),
        ("ok", 30.0, "advance"),
    ]
    assert "STOLEN" not in outputs(root)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository in which one experiment takes no time."""
    root = tmp_path / "small"
    put(tmp_path / "script.py", SCRIPT)
    make_small(root)
    return root


def make_small(root: Path, *words: str) -> None:
    measure = FILES["measure.py"].replace(", frozen, module", "").replace(" * frozen.SCALE * module.X", "")
    for path, text in {".flagstone/config.yaml": SMALL, "src/work.py": "N = 10\n", "measure.py": measure}.items():
        put(root / path, text)
    git(root, "init", "-q", "-b", "main", *words)
    commit(root)


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "a commit")


def values(root: Path) -> list[float | None]:
    return [row["value"] for row in ledger(root)]


def test_a_shallow_clone_and_a_linked_work_tree_are_repositories_like_others(small: Path, tmp_path: Path) -> None:
    for _ in range(2):
        commit(small)
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{small}", "shallow")
    git(small, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    roots = (tmp_path / "shallow", tmp_path / "linked")
    before = everything(small, *roots)
    for root in roots:
        session(root)
        assert values(root) == [10.0, 20.0]
    assert everything(small, *roots) == before


def test_a_repository_without_a_commit_is_refused_with_the_cure(tmp_path: Path) -> None:
    put(tmp_path / "empty/.flagstone/config.yaml", SMALL)
    git(tmp_path / "empty", "init", "-q")
    said = session(tmp_path / "empty", code=2)
    assert "has no commit yet" in said and "git add" in said


def test_a_repository_with_sha_256_names_is_refused_with_a_cure_that_works(small: Path, tmp_path: Path) -> None:
    root = tmp_path / "long names"
    make_small(root, "--object-format=sha256")
    said = session(root, code=2)
    assert "SHA-256" in said and "git init COPY; git fast-export --all | git -C COPY fast-import" in said
    git(tmp_path, "init", "-q", "-b", "main", "copy")
    exported = subprocess.run(["git", "fast-export", "--all"], cwd=root, check=True, capture_output=True).stdout
    subprocess.run(["git", "fast-import", "--quiet"], cwd=tmp_path / "copy", check=True, input=exported)
    git(tmp_path / "copy", "checkout", "-q", "main")
    session(tmp_path / "copy")
    assert values(tmp_path / "copy") == [10.0, 20.0]


def test_what_is_not_committed_is_told_of_in_every_session_and_is_not_part_of_it(small: Path) -> None:
    put(small / "measure.py", "print(999)\n")
    put(small / "src/new.py", "N = 7\n")
    put(small / "src/work.py", "N = 8\n")
    said = session(small, code=2)
    assert "uncommitted changes: src/work.py" in said and "give --head" in said
    for _ in range(2):
        said = session(small, "--head")
        assert "not committed, so not part of the experiment: measure.py, src/work.py" in said
        assert "new and not committed, so not part of it: src/new.py" in said
    assert values(small) == [10.0, 20.0, None]
    assert (small / "src/work.py").read_text() == "N = 8\n"


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_new_and_renamed_files_are_part_of_an_edit_and_those_outside_the_globs_are_named(
    small: Path, sandbox: str
) -> None:
    agent = small.parent / "agent.sh"
    put(agent, WORKING, 0o755)
    put(small / "src/old.py", "OLD = 1\n")
    marker = SMALL.replace("src/**", "**").replace("max_experiments: 1, proposer: scripted, script: ../script.py", "")
    words = f"agent: {{driver: command, options: {{argv: [{agent}]}}}}\n    run: {{sandbox: {json.dumps(sandbox)}}}\n"
    marker = marker.replace("loop: {}", f"loop: {{max_experiments: 2}}\n    {words}")
    put(small / ".flagstone/config.yaml", marker)
    commit(small)
    session(small)
    first, second, third = ledger(small)
    assert (first["value"], second["value"], second["verdict"]) == (10.0, 30.0, "advance")
    store = str(small / ".flagstone/markers/score/1/candidates.git")
    names = git(small, "--git-dir", store, "ls-tree", "-r", "--name-only", second["tree"]).split("\n")
    assert names == [".flagstone/config.yaml", "measure.py", "src/deep/new.py", "src/moved.py", "src/work.py"]
    assert third["status"] == "violation"
    assert "extra/more.txt was added" in third["reason"] and "notes.md was added" in third["reason"]
