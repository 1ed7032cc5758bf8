"""The plugin in the real Claude Code: it is valid, it installs from a path, and /flagstone:setup asks and writes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from desk import Desk
from messages_api import Asked, MessagesApi, Says, use
from terminal import PLUGIN, ROOT, Terminal

TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
val_loss = (args.lr - 0.3) ** 2 + 1
print(f"val_loss: {val_loss:.4f}")
print(f"val_acc: {1 - val_loss / 10:.4f}")
"""


@pytest.fixture
def terminal(tmp_path: Path, program: Path, api: MessagesApi) -> Terminal:
    """A person in a small project that trains something. They take the last option of every question."""
    made = Terminal(program, api, tmp_path / "project", tmp_path / "home")
    for folder in (made.home, made.project):
        folder.mkdir()
    (made.project / "train.py").write_text(TRAIN)
    (made.project / "README.md").write_text("# Toy\n\n    python train.py --lr 0.1\n")
    made.answer = lambda given: {each["question"]: each["options"][-1]["label"] for each in given["questions"]}
    return made


def claude(terminal: Terminal, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [terminal.program, *words],
        cwd=terminal.project,
        env=terminal.variables(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_it_is_valid_as_it_is_and_as_a_copy(terminal: Terminal, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(PLUGIN, copied)
    for folder in (PLUGIN, copied):
        claude(terminal, "plugin", "validate", "--strict", "--profile", "directory", str(folder))
    claude(terminal, "plugin", "validate", "--strict", str(ROOT))
    broken = copied / "skills" / "run" / "SKILL.md"
    broken.write_text(broken.read_text().replace("description:", "says:"))
    claude(terminal, "plugin", "validate", "--strict", str(copied), code=1)


def test_it_installs_from_a_path_for_little_and_its_shell_script_is_found(terminal: Terminal, api: MessagesApi) -> None:
    claude(terminal, "plugin", "marketplace", "add", str(ROOT))
    claude(terminal, "plugin", "install", "flagstone@flagstone", "--scope", "project")
    details = claude(terminal, "plugin", "details", "flagstone")
    cost = next(line for line in details.splitlines() if "Always-on:" in line)
    assert int("".join(filter(str.isdigit, cost.split("tok")[0]))) <= 400
    terminal.plugin = terminal.home  # nothing there: what was installed is what works
    api.plays(Says("hello"))
    terminal.say("hello")
    begun = next(event for event in terminal.events if event.get("subtype") == "init")
    assert {"flagstone:setup", "flagstone:run", "flagstone:research"} <= set(begun["skills"])
    assert {"flagstone:innovator", "flagstone:abstract-reviewer"} <= set(begun["agents"])


def answer_of(asked: Asked) -> dict[str, Any]:
    """What `flagstone setup --json` has printed last."""
    text = asked.heard[-1]
    found = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert isinstance(found, dict)
    return found


class ScriptedModel:
    """Does what the skill says: asks the questions as they are, and carries the answers back."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.answers: dict[str, str] = {}

    def look(self, *words: str) -> Says:
        lines = "".join(f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in self.answers.items())
        given = f" --answers - <<'END'\n{lines}END" if lines else ""
        return use("Bash", command=f"flagstone setup {' '.join(words)}{given}", timeout=600_000)

    def ask(self, asked: Asked) -> Says:
        questions = [dict(each) for each in answer_of(asked)["questions"][0]]
        for each in questions:
            del each["id"]
        return use("AskUserQuestion", questions=questions)

    def carry(self, _: Asked) -> Says:
        for asked in self.terminal.asked:
            self.answers |= self.terminal.answer(asked)
        return self.look("--json")

    def write(self, asked: Asked) -> Says:
        assert answer_of(asked)["ready"] is True, asked.heard[-1]
        return self.look("toy", "--yes")


def test_setup_asks_its_questions_as_they_are_and_writes_what_was_answered(
    terminal: Terminal, api: MessagesApi
) -> None:
    model = ScriptedModel(terminal)
    api.plays(model.look("--json"), model.ask, model.carry, model.write, Says("next: /flagstone:run toy"))
    assert terminal.say("/flagstone:setup")["is_error"] is False
    assert len(terminal.asked) >= 1 and all(are_valid(given) for given in terminal.asked)
    spec = yaml.safe_load((terminal.project / ".flagstone" / "experiments" / "toy" / "experiment.yaml").read_text())
    assert (spec["metric"]["name"], spec["metric"]["direction"]) == ("val_acc", "max")
    assert api.asked[-1].heard[-1].rstrip().endswith("next: /flagstone:run toy")


def are_valid(given: Mapping[str, Any]) -> bool:
    """What the tool takes: at most four questions, of two to four options, with short headers."""
    questions = given["questions"]
    sizes = all(2 <= len(each["options"]) <= 4 and len(each["header"]) <= 12 for each in questions)
    return 1 <= len(questions) <= 4 and sizes and len({each["question"] for each in questions}) == len(questions)


def test_without_a_person_setup_stops_with_the_list_of_what_is_open(terminal: Terminal, api: MessagesApi) -> None:
    model = ScriptedModel(terminal)
    (terminal.project / "train.py").write_text("print('wobble:', 3.5)\n")
    api.plays(model.look("--json"), model.look("--yes"), Says("nobody to ask"))
    claude(terminal, "-p", "/flagstone:setup", "--plugin-dir", str(PLUGIN))
    assert "AskUserQuestion" not in api.asked[0].tools and len(api.asked) == 3
    assert "--direction" in api.asked[2].heard[-1], api.asked[2].heard[-1]
    assert not (terminal.project / ".flagstone").exists()


def test_our_own_calls_of_claude_code_load_no_plugin(desk: Desk, api: MessagesApi) -> None:
    terminal = Terminal(desk.program, api, desk.workspace, desk.folder / "home")
    claude(terminal, "plugin", "marketplace", "add", str(ROOT))
    claude(terminal, "plugin", "install", "flagstone@flagstone")
    claude(terminal, "plugin", "install", "flagstone@flagstone", "--scope", "project")
    api.plays(Says("hello"))
    desk.ask()
    assert "flagstone:" not in json.dumps(api.asked[0].body), "no skill and no agent of the plugin is offered"
    begun = next(event for event in desk.transcript if event.get("subtype") == "init")
    assert "flagstone" not in {each["name"] for each in begun["plugins"]}
