"""The secrets of an agent's profile, with an agent that does all it can to leave them somewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from workbench import run_command

from flagstone.agents import strength

SECRET = "correct-horse-battery-staple"
SHORT = "a-second-value"

FILE = """
markers:
  - name: score
    description: Make N larger
    target: {{mutable: ["src/**/*.py"]}}
    metric:
      command: python3 measure.py
      extract: "grep -oE '^[0-9]+$'"
      direction: higher
      issues_command: "echo $PROFILE_PLAIN; cat src/work.py; echo junk > src/work.py; yes x | head -n 5000"
    noise: "off"
    loop: {{max_experiments: {most}}}
    agent: {{driver: command, env_file: mine.env, options: {{argv: [{python}, {agent}]}}}}
"""
MEASURE = "import sys\nsys.path.insert(0, 'src')\nimport work\nprint(work.N)\n"

AGENT = """
import os, pathlib, sys

secret, second = os.environ["PROFILE_PLAIN"], os.environ["SECOND_KEY"]
prompt = sys.stdin.read()
here = pathlib.Path.cwd()
work = here / "src" / "work.py"
print("env", dict(os.environ), secret, second)
print(secret, file=sys.stderr)
for folder in (os.environ["TMPDIR"], "src"):
    (pathlib.Path(folder) / "notes.txt").write_text(secret)
tmp = pathlib.Path(os.environ["TMPDIR"])
os.link(tmp / "notes.txt", tmp / "again.txt")
if "run r0002" in prompt:
    work.write_text(f"N = 20\\nKEY = {{secret!r}}\\n")
    (here / "src" / "other.py").write_text(f"# {{second}}\\n")
    (here / "src" / f"{{secret}}.py").write_text("A = 1\\n")
    (here / "src" / second).mkdir()
    (here / "src" / second / "b.py").write_text("B = 1\\n")
    os.symlink(secret, here / "src" / "link.py")
else:
    (here / "src" / "notes.txt").unlink()
    work.write_text(work.read_text().replace("N = 10", "N = 15") + {spy!r})
"""
SPY = """
import pathlib
for place in ({files}):
    try:
        print(pathlib.Path(place).read_text())
    except OSError as error:
        print("not readable:", type(error).__name__)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    profile = root / ".flagstone/agents/default"
    secrets = [str(profile / ".env"), str(root / "mine.env")]
    agent = tmp_path / "notes" / "agent.py"
    agent.parent.mkdir()
    made = {
        root / "src/work.py": "N = 10\n",
        root / "measure.py": MEASURE,
        root / ".gitignore": ".env\n*.env\n",
        profile / ".env": f"PROFILE_PLAIN={SECRET}\n",
        profile / "CLAUDE.md": f"Take small steps. Never say {SECRET}.\n",
        root / "mine.env": f"SECOND_KEY={SHORT}\n",
        agent: AGENT.format(
            spy=SPY.format(files="".join(f"{path!r}, " for path in secrets)),
        ),
        root / ".flagstone/config.yaml": FILE.format(
            python=json.dumps(sys.executable), agent=json.dumps(str(agent)), most=2
        ),
    }
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(root, "init", "-q")
    git(root, "add", "src", "measure.py", ".gitignore")
    git(root, "commit", "-q", "-m", "a commit")
    return root


def git(root: Path, *words: str, **options: Any) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, text=True, **options).stdout


def marker(root: Path, *words: str) -> list[dict[str, Any]]:
    done = run_command("flagstone", "marker", *words, "--json", cwd=root)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert SECRET not in done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["data"]
    return found


def holders(root: Path, secret: str) -> list[str]:
    """Every file below the folder of the markers that holds a text, or has it in its name."""
    found = list((root / ".flagstone/markers").rglob("*"))
    named = [path for path in found if secret in path.name]
    files = [path for path in found if path.is_file() and not path.is_symlink()]
    return [str(path) for path in (*named, *(path for path in files if secret.encode() in path.read_bytes()))]


def objects_with(repository: Path, secret: str) -> list[str]:
    """Every object of a repository that holds a text, whatever refers to it."""
    rows = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    return [
        name
        for name in rows
        if secret.encode() in subprocess.check_output(["git", "cat-file", "-p", name], cwd=repository)
    ]


@pytest.mark.skipif(not strength().has_bubblewrap, reason="without bubblewrap, runs can read the files")
def test_the_secrets_of_a_profile_reach_no_commit_prompt_ledger_or_log(repository: Path) -> None:
    session = marker(repository, "run")[0]
    rows = marker(repository, "results")
    assert [(each["status"], each["metric"]) for each in rows] == [("keep", 10.0), ("violation", None), ("keep", 15.0)]
    assert "src/work.py held the secret value of PROFILE_PLAIN, and was removed" in rows[1]["reason"]
    assert "[redacted PROFILE_PLAIN].py" in rows[1]["reason"]
    home = Path(session["home"])
    assert "not readable" in (home / "runs/r0003/run.log").read_text()
    for secret in (SECRET, SHORT):
        assert holders(repository, secret) == []
        repositories = [path.parent for path in repository.rglob("objects") if (path.parent / "HEAD").exists()]
        assert len(repositories) >= 2
        assert [objects_with(each, secret) for each in repositories] == [[]] * len(repositories)
    assert (repository / ".flagstone/agents/default/.env").read_text() == f"PROFILE_PLAIN={SECRET}\n"


def test_the_prompt_has_the_goal_the_instructions_and_what_the_command_found(repository: Path) -> None:
    session = marker(repository, "run", "--experiments", "1")[0]
    prompt = (Path(session["home"]) / "runs/r0002/agent/prompt.md").read_text()
    assert "Make N larger" in prompt
    assert "Take small steps. Never say [redacted PROFILE_PLAIN]." in prompt
    found = prompt.partition("material: issues\n")[2].partition("\n~~~~~~~~")[0]
    assert found.startswith("N = 10\nx\nx\n")
    assert len(found.encode()) <= 4096 and found.endswith("[… the rest is left out …]")
