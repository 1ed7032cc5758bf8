"""The command lines of tccw-autoresearch, as the how-to lists them: each works, or names its counterpart."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from workbench import run_command

from flagstone.cli.location import Location
from flagstone.cli.markers.marker import command
from flagstone.cli.markers.tccw import own_words

TABLE = Path(__file__).parents[2] / "docs/how-to/come-from-tccw-autoresearch.md"
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.*?) ?\|$", re.MULTILINE)
ROWS = [(theirs, ours, note) for theirs, ours, note in ROW.findall(TABLE.read_text()) if "…" not in theirs]
SERVING = [theirs for theirs, *_ in ROWS if theirs.startswith("daemon")]
FILE = """
markers:
  - name: tests
    target: {mutable: ["*.txt"]}
    metric: {command: cat work.txt, extract: cat, direction: higher, baseline: 10}
    guard: {command: "true"}
    loop: {max_experiments: 1, proposer: scripted, script: ../script.py}
    schedule: {type: overnight}
    run: {sandbox: false}
"""
SCRIPT = """
from pathlib import Path


def propose(view, draft):
    (Path(draft) / "work.txt").write_text(f"{10 + view['number']}\\n")
    return "more"
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("tccw") / "parser"
    (top / ".flagstone").mkdir(parents=True)
    (top / ".flagstone/config.yaml").write_text(FILE)
    (top / "work.txt").write_text("10\n")
    (top / "parser.py").write_text("import os\n")
    (top / "pyproject.toml").write_text("[project]\nname = 'parser'\n[tool.ruff]\n")
    (top.parent / "script.py").write_text(SCRIPT)
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    for key, value in (("user.name", "A"), ("user.email", "a@example.org")):
        subprocess.run(["git", "config", key, value], cwd=top, check=True)
    subprocess.run(["git", "add", "-A"], cwd=top, check=True)
    subprocess.run(["git", "commit", "-qm", "x"], cwd=top, check=True)
    return top


@pytest.fixture(autouse=True)
def folders_of_a_person(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(repository.parent / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(repository.parent / "config"))


def asked(here: Path, *words: str) -> tuple[int, dict[str, Any]]:
    if "run" in words:
        ran = run_command("flagstone", "marker", *words, "--json", cwd=here)
        return ran.returncode, json.loads(ran.stdout)
    said = CliRunner().invoke(command, [*words, "--json"], obj=Location(here))
    return said.exit_code, json.loads(said.stdout)


def test_the_table_has_every_command() -> None:
    known = {*"list status results ideas confidence init add detach skip pause run finalize merge clean daemon".split()}  # noqa: SIM905
    assert {next(word for word in theirs.split() if word in known) for theirs, *_ in ROWS} == known
    assert [line.split()[1] for line in SERVING] == ["start", "status", "logs", "logs", "stop"]


@pytest.mark.parametrize(("theirs", "ours", "note"), [row for row in ROWS if row[0] not in SERVING])
def test_a_line_works_or_names_its_counterpart(repository: Path, theirs: str, ours: str, note: str) -> None:
    asked(repository, "add")
    if theirs.startswith("finalize") and not (repository / ".flagstone/markers/tests/1").exists():
        assert asked(repository, "run", "tests")[0] == 0  # another process may have played the line `run`
    code, document = asked(repository, *theirs.split())
    if note.startswith("refused") or "add `--improve`" in note:
        quoted = re.findall(r"`([^`]+)`", note)
        assert code == 2 and (quoted[0] if quoted else ours.removesuffix(" tests")) in document["message"]
    else:
        assert code == 0, document
    if theirs.startswith(("skip", "pause")):
        assert document["data"]["status"] != "active"
        asked(repository, *theirs.split())


@pytest.mark.parametrize(("theirs", "ours"), [row[:2] for row in ROWS if not row[2].startswith("refused")])
def test_a_line_becomes_the_one_beside_it(theirs: str, ours: str) -> None:
    alike = ("-m", "--path", "--repo", ".")
    assert [word for word in own_words(theirs.split()) if word not in alike] == [
        word for word in ours.split() if word not in alike
    ]


def test_the_lines_about_the_daemon_start_show_and_end_it(repository: Path) -> None:
    asked(repository, "add")
    start, status, logs, follow, stop = SERVING
    argv = [sys.executable, "-m", "flagstone.cli.main", "marker"]
    server = subprocess.Popen([*argv, *start.split()], cwd=repository, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 300
        while not asked(repository, *status.split())[1]["data"]["running"]:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert asked(repository, *status.split())[1]["data"]["pid"] == server.pid
        following = subprocess.Popen([*argv, *follow.split()], cwd=repository, stdout=subprocess.PIPE, text=True)
        while "serves 1 marker" not in "\n".join(asked(repository, *logs.split())[1]["data"]["lines"]):
            assert time.monotonic() < end
        assert asked(repository, *stop.split())[1]["data"]["pid"] == server.pid
        assert server.wait(30) == 0
        assert "has ended" in following.communicate(timeout=300)[0]
    finally:
        server.kill()
