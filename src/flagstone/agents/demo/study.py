"""The study while it is carried out: where its files are, and how its programs are run and reported."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from flagstone.agents.demo import reading
from flagstone.agents.demo.messages import utter
from flagstone.agents.demo.summary import SCRIPTED, DemoSummary, answer_to_feedback, approved_lines
from flagstone.agents.protocol import AgentCall
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.processes import Command, Output, ProcessLimits, run

LIMIT_S = 300.0
EXPERIMENT = "tricks"
MARK = re.compile(r"@([A-Z_]+)@")
REPEATABLE: Mapping[str, str] = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "agg",
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "max_print_line": "10000",
}


@dataclass(frozen=True)
class ProgramResult:
    """The output of a program, and how it ended."""

    exit_code: int | None
    output: str

    @property
    def last_line(self) -> str:
        lines = self.output.strip().splitlines()
        return lines[-1] if lines else "(no output)"


@dataclass(frozen=True)
class Study:
    """One call's view of the study."""

    call: AgentCall

    @property
    def root(self) -> Path:
        return self.call.task.run_root

    @property
    def feedback(self) -> str:
        return reading.feedback_of(self.call.prompt)

    def path(self, place: str) -> Path:
        """A file of the workspace; its folder exists afterwards."""
        path = self.root / "workspace" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, place: str, text: str) -> None:
        self.path(place).write_text(text, encoding="utf-8")

    def write_record(self, place: str, value: object) -> None:
        self.write(place, json.dumps(value, indent=1, ensure_ascii=False) + "\n")

    def record(self, place: str, left_by: str) -> dict[str, Any]:
        """What an earlier stage left."""
        try:
            value = json.loads((self.root / "workspace" / place).read_text(encoding="utf-8"))
            if isinstance(value, dict):
                return value
        except (OSError, ValueError):
            pass
        raise WorkFailed(
            f"stage {self.call.task.stage} needs workspace/{place}, which is missing or unreadable",
            hint=f"let the demo agent do stage {left_by} without a script first",
        )

    def design(self) -> dict[str, Any]:
        design = self.record("data/design.json", "03")
        if design.get("experiment") == EXPERIMENT:
            return design
        raise WorkFailed(
            f"workspace/data/design.json plans {design.get('experiment')!r}, a study the demo agent no longer knows",
            hint="let the demo agent design its study of today: flagstone redo 03",
        )

    def bring(self, *names: str, to: str) -> None:
        """Writes programs or texts of the study into the workspace."""
        for name in names:
            self.write(f"{to}/{name}", material(name))
        utter("tool", f"wrote workspace/{to}/: {', '.join(names)}")

    def python(self, program: str, *words: str, log: str = "") -> ProgramResult:
        """Runs a program of the study in the run's folder, with the interpreter we run in."""
        argv = (sys.executable, f"workspace/{program}", *words)
        name = log or Path(program).stem
        return self.run_program(argv, self.root, name)

    def run_program(self, argv: tuple[str, ...], cwd: Path, log: str) -> ProgramResult:
        output = self.call.record_dir / "commands" / f"{log}.txt"
        command = Command(argv=argv, target=None, cwd=cwd, env={**os.environ, **REPEATABLE, **private_caches()})
        result = run(command, ProcessLimits(wall_s=LIMIT_S), Output(stdout=output))
        return ProgramResult(result.exit_code, output.read_text(encoding="utf-8", errors="replace"))

    def must(self, program: str, *words: str) -> str:
        """The last line of a program that has to succeed."""
        ran = self.python(program, *words)
        if ran.exit_code != 0:
            raise WorkFailed(
                f"workspace/{program} failed: {ran.last_line}",
                hint=f"its whole output is in commands/{Path(program).stem}.txt of this attempt's records",
            )
        utter("tool", f"python {Path(program).name}: {ran.last_line}")
        return ran.last_line

    def text_of(self, place: str) -> str:
        """A text of the run; empty if it cannot be read."""
        try:
            return (self.root / place).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def summary(self, values: Mapping[str, object]) -> DemoSummary:
        """The stage's summary from its template, with the values filled in."""
        task = self.call.task
        # taken apart before it is filled in: a brief may have headings of its own
        parts = {name: fill_in(text, values) for name, text in sections(material(f"summary_{task.stage}.md")).items()}
        answer = parts.get("answer", "the stage was done again as it is programmed.")
        answered = f"\n\n{answer_to_feedback(self.feedback)}{answer}" if self.feedback else ""
        files = (line.partition(": ") for line in parts["files"].splitlines())
        return DemoSummary(
            stage=task.stage,
            title=task.title,
            objective=parts["objective"],
            approved=approved_lines(reading.approved_before(self.call.prompt, self.root, task.stage)),
            did=f"{parts['did']}{answered}\n\n{SCRIPTED}",
            results=parts["results"],
            files={f"workspace/{path}": about for path, _, about in files},
            suggestions=parts["suggestions"].splitlines(),
        )


def private_caches() -> dict[str, str]:
    """Where programs keep their caches during a call. They warn if they may not write to those in the home folder."""
    private = os.environ.get("TMPDIR", "/tmp")
    return {"MPLCONFIGDIR": f"{private}/matplotlib", "XDG_CACHE_HOME": f"{private}/cache"}


def material(name: str) -> str:
    return material_bytes(name).decode("utf-8")


def material_bytes(name: str) -> bytes:
    return (resources.files("flagstone.agents.demo") / "material" / name).read_bytes()


def fill_in(text: str, values: Mapping[str, object]) -> str:
    """A template with each @MARK@ replaced, in one pass, so that a value cannot hold a mark."""
    return MARK.sub(lambda found: str(values[found[1]]), text)


def sections(text: str) -> dict[str, str]:
    """The parts of a summary's template by their names."""
    parts = (part.partition("\n") for part in text.removeprefix("## ").split("\n## "))
    return {name: body.strip() for name, _, body in parts}


def at_once(jobs: list[Any], work: Any) -> list[Any]:
    """The results of all jobs in their order, two at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(work, jobs))


def explanation(error: FlagstoneError) -> str:
    return f"{error.problem} ({error.hint})"
