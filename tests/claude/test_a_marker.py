"""A session of a marker with the real Claude Code: its profile is obeyed, and what it cost stands in the ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from desk import IMPATIENT, KEY, MODEL, Desk
from messages_api import MessagesApi, Says, use

SECRET = "the-value-of-a-variable"


@pytest.fixture
def repository(desk: Desk) -> Path:
    root = desk.folder / "repository"
    profile = root / ".flagstone/agents/careful"
    value = {
        "name": "score",
        "description": "Make the number of the work larger",
        "target": {"mutable": ["src/**/*.py"], "immutable": ["src/fixed.py"]},
        "metric": {
            "command": "python3 measure.py",
            "extract": "cat",
            "direction": "higher",
            "issues_command": "grep -n N src/work.py",
        },
        "noise": "off",
        "loop": {"max_experiments": 1, "model": MODEL},
        "agent": {
            "name": "careful",
            "effort": "low",
            "permission_mode": "bypassPermissions",
            "allowed_tools": ["Bash(printenv *, true)", "WebSearch"],
            "disallowed_tools": ["Glob"],
            "extra_flags": ["--append-system-prompt", "the word is heliotrope"],
            "max_cost": 5,
            "options": {"command": str(desk.program), **IMPATIENT},
        },
    }
    made = {
        root / "src/work.py": "N = 10\n",
        root / "src/fixed.py": "M = 1\n",
        root / "measure.py": "import sys\nsys.path.insert(0, 'src')\nimport work\nprint(work.N)\n",
        root / ".gitignore": ".env\n",
        root / ".flagstone/config.yaml": json.dumps({"markers": [value]}),
        profile / "CLAUDE.md": "Prefer small steps.\n",
        profile / "settings.json": json.dumps({"env": {"OF_SETTINGS": "from-the-settings"}}),
        profile / ".env": f"ANTHROPIC_API_KEY={KEY}\nPLAIN={SECRET}\n",
    }
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "a commit")):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)
    return root


def marker(desk: Desk, root: Path, *words: str) -> tuple[list[dict[str, Any]], str]:
    """A command as a person gives it, without a login of theirs."""
    environ = {**os.environ, **desk.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    del environ["ANTHROPIC_API_KEY"]
    argv = [sys.executable, "-m", "flagstone.cli.main", "marker", *words, "--json"]
    done = subprocess.run(argv, cwd=root, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    found: list[dict[str, Any]] = json.loads(done.stdout)["data"]
    return found, done.stderr


def test_a_session_obeys_the_profile_and_keeps_what_is_better(desk: Desk, api: MessagesApi, repository: Path) -> None:
    draft = repository / ".flagstone/markers/score/1/runs/r0002/draft"
    work = str(draft / "src/work.py")
    api.plays(
        use("Read", file_path=work),
        use("Bash", command="printenv PLAIN OF_SETTINGS"),
        use("Bash", command="python3 -c 'print(41 + 1)'"),
        use("Edit", file_path=work, old_string="N = 10", new_string="N = 20"),
        Says(f"N from 10 to 20, says {SECRET}"),
    )
    (session,), said = marker(desk, repository, "run")
    assert (session["kept"], session["best"]) == (1, 20.0)
    assert session["cost_usd"] > 0
    assert "permission_mode bypassPermissions is run as dontAsk" in said
    assert ".flagstone/agents/careful/settings.json is committed" in said
    rows, _ = marker(desk, repository, "results")
    assert rows[1]["description"] == "N from 10 to 20, says [redacted PLAIN]"
    entries = [json.loads(line) for line in Path(session["home"], "ledger.jsonl").read_text().splitlines()]
    assert entries[1]["proposal"]["cost_usd"] == pytest.approx(session["cost_usd"])

    first, last = api.asked[0], api.asked[-1]
    assert first.model == MODEL
    assert {"Read", "Edit", "Write", "Grep", "Bash"} <= set(first.tools)
    assert not {"Glob", "WebSearch"} & set(first.tools)
    whole = json.dumps(dict(first.body))
    assert "the word is heliotrope" in whole and '"effort": "low"' in whole
    assert first.headers.get("x-api-key") == KEY
    prompt = first.heard[0]
    told = ("Make the number of the work larger", "src/**/*.py", "src/fixed.py", "Prefer small steps.", "1:N = 10")
    for words in (*told, "The best score so far is 10", "python3 measure.py"):
        assert words in prompt, words
    assert f"{SECRET}\nfrom-the-settings" in last.heard[2], "the shell did not see it: then this shows nothing"
    assert "42" not in last.heard[3], "a command that no rule allows was run"
    files = [path for path in (repository / ".flagstone/markers").rglob("*") if path.is_file()]
    assert not [path for path in files for word in (KEY, SECRET) if word.encode() in path.read_bytes()]
