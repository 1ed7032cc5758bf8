"""What is settled so far: the findings of a project, and what a person has answered."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flagstone.setup.look import LookRequest, ProjectLook
from flagstone.setup.programs import process_count
from flagstone.setup.project_finding import ProjectFinding

NOTHING = ProjectFinding("", None, "none")
LAUNCHERS = ("torchrun", "accelerate", "deepspeed")
GPU_LIBRARIES = {"torch", "jax", "tensorflow", "flax", "lightning", "pytorch_lightning", "transformers"}
SHARED = ("backend", "path", "glob", "override", "constraints", "project")


@dataclass(frozen=True)
class Settled:
    """A look at a project, and the answers to the questions about it. An answer beats a finding."""

    look: ProjectLook
    answers: Mapping[str, Any] = field(default_factory=dict)
    topic: str = ""
    request: LookRequest = field(default_factory=LookRequest)  # what the look was asked for

    def finding(self, name: str) -> ProjectFinding:
        return self.look.findings.get(name, NOTHING)

    def value(self, name: str) -> Any:
        """The answer, or what was found."""
        return self.answers[name] if name in self.answers else self.finding(name).value

    @property
    def metric(self) -> dict[str, Any]:
        """The metric and where it is read from. Of a name that a person gave, that is known only if it was found."""
        candidates = self.finding("metric").candidates
        rows = [each if isinstance(each, dict) else {"name": each} for each in candidates if each]
        answer = self.answers.get("metric")
        if answer is None:
            return dict(rows[0]) if rows else {}
        known = next((row for row in rows if row.get("name") == answer["name"]), {})
        # a number that was not found elsewhere is looked for where the first is read
        place = {key: rows[0][key] for key in SHARED if rows[0].get(key)} if known and "backend" not in known else {}
        return {**place, **known, **answer}

    @property
    def goal(self) -> str:
        """What it is for, in words. Returns '' if nobody said it, and no metric is known that could be improved."""
        name = self.metric.get("name")
        return str(self.answers.get("goal") or self.topic or (f"improve {name}" if name else ""))

    @property
    def python(self) -> str:
        """The interpreter of the project, as a command has it. Returns '' if there is none of its own."""
        return str((self.finding("environment").value or {}).get("python") or "")

    @property
    def processes(self) -> int:
        """How many processes with a GPU each the command starts."""
        program = self.look.program
        return process_count(program) if program.runner.startswith(LAUNCHERS) else 1

    @property
    def gpus(self) -> int:
        """How many GPUs a run is lent: one a process, as far as there are so many here."""
        here = len(self.look.environment.facts.gpus)
        is_for_gpu = self.processes > 1 or not GPU_LIBRARIES.isdisjoint(self.look.environment.needed)
        return min(self.processes, here) if is_for_gpu else 0

    @property
    def pattern(self) -> str:
        return str((self.value("entry") or {}).get("pattern") or "custom")

    @property
    def start(self) -> tuple[tuple[str, ...], str]:
        """The command and the entry that a person wants in the place of those that were looked at. Empty if none."""
        runner = shlex.split(str(self.answers.get("runner", "")))
        entry = str(self.answers.get("entry", {}).get("file", ""))
        words = runner if len(runner) != 1 else self.command_with(runner[0])
        is_same = tuple(words) == tuple(self.look.program.argv) and not self.was_open("command")
        is_kept = entry == self.look.program.entry and not self.was_open("entry")
        return () if is_same else tuple(words), "" if is_kept else entry

    def was_open(self, name: str) -> bool:
        """Whether the look left this open: then it is made again with the answer."""
        return self.finding(name).confidence == "unclear"

    def command_with(self, program: str) -> list[str]:
        """The command that was found with this program; the word alone if there is none."""
        commands = [each for each in self.finding("command").candidates if isinstance(each, list)]
        return next((each for each in commands if each and each[0] == program), [program])

    @property
    def mutable(self) -> list[str]:
        return list(self.value("mutable") or ())
