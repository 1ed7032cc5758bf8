"""Takes over an experiment of the autoresearch plugin (`ar`): its best train.py, metric, limits and command."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.text import one_line

FOLDER = "autoresearch"  # below own/ of the experiment, so that no file of the project has the same path
SESSION = ".ar-session.json"
BACKENDS = ("wandb", "tensorboard", "log", "auto")
LONGEST_GOAL = 400
FORMS: Mapping[str, Any] = {
    "runner": dict,
    "hard_constraints": list,
    "termination_conditions": dict,
    "duration_seconds": int | float,
}
LAUNCHERS = {"accelerate": ("accelerate", "launch"), "torchrun": ("torchrun",), "deepspeed": ("deepspeed",)}


@dataclass(frozen=True)
class ForeignExperiment:
    """The folder of an experiment of `ar`. Only its files are read; none of its code runs."""

    folder: Path

    def text(self, name: str) -> str:
        path = self.folder / name
        try:
            return path.read_text("utf-8", "replace") if path.is_file() else ""
        except OSError:
            return ""

    def values(self, name: str) -> dict[str, Any]:
        try:
            value = json.loads(self.text(name))
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @cached_property
    def session(self) -> dict[str, Any]:
        """What .ar-session.json says. Raises an error that names every value of another form."""
        found = self.values(SESSION)
        wrong = [name for name, form in FORMS.items() if found.get(name) and not isinstance(found[name], form)]
        if isinstance(runner := found.get("runner"), dict):
            wrong += [f"runner.{name}" for name in ("argv", "extra_args") if not is_words(runner.get(name) or [])]
        if wrong:
            problem = f"{self.folder / SESSION} has values of another form: {', '.join(wrong)}"
            raise FlagstoneError(problem, hint="correct them, or remove them and give flags in their place")
        return found

    @cached_property
    def program(self) -> str:
        return self.text("program.md")

    @cached_property
    def metric(self) -> dict[str, str]:
        """Name and direction: from its best, or from program.md. Raises an error if neither says them."""
        best = self.values("best.json").get("primary")
        found = best if isinstance(best, dict) and best else self.metric_in_program
        if not found.get("name") or found.get("direction") not in ("min", "max"):
            raise FlagstoneError(
                f"neither best.json nor program.md in {self.folder} names the metric and its direction",
                hint="give them: --metric NAME --direction min|max",
            )
        backend = self.session.get("metric_backend", "auto")
        rest = {"backend": backend if backend in BACKENDS else "auto"}
        return {"name": str(found["name"]), "direction": str(found["direction"]), **rest}

    @property
    def metric_in_program(self) -> dict[str, str]:
        hit = re.search(r"(?im)primary[^\n]*?[:`*\s]([\w./@-]*[A-Za-z][\w./@-]*)[`*]*[^\n]*?\b(min|max)", self.program)
        return {"name": hit[1], "direction": hit[2]} if hit else {}

    @property
    def best_source(self) -> Path:
        """The train.py of its best run, or the one that it began with."""
        best = str(self.values("best.json").get("run_id", ""))
        names = (f"runs/{best}/train.py" if re.fullmatch(r"r\d+", best) else "", ".baseline/train.py", "train.py")
        found = next((self.folder / name for name in names if name and is_own_file(self.folder / name)), None)
        if found is None:
            raise FlagstoneError(
                f"there is no train.py in {self.folder}", hint="name the folder of an experiment: .autoresearch/SLUG"
            )
        return found

    @property
    def files(self) -> dict[str, bytes]:
        """What becomes the experiment's own."""
        found = {"train.py": self.best_source, **{name: self.folder / name for name in ("prepare.py", "program.md")}}
        return {f"own/{FOLDER}/{name}": path.read_bytes() for name, path in found.items() if is_own_file(path)}

    def argv(self, python: str) -> list[str]:
        """Its command. What `ar` calls a runner is what stands before train.py."""
        runner = self.session.get("runner") or {}
        words = runner.get("argv") or shell_words(str(runner.get("verbatim") or ""))
        kind = str(runner.get("kind") or "python")
        if not words and kind in LAUNCHERS:
            words = [*LAUNCHERS[kind], *launcher_options(kind, runner)]
        words = [python if word == "python" else word for word in words or ["python"]]
        source = f"{FOLDER}/train.py"
        return [source if word.endswith("train.py") else word for word in words] + (
            [] if any(word.endswith("train.py") for word in words) else [source]
        )

    @property
    def goal(self) -> str:
        return one_line(paragraph_after(self.program, "goal"), LONGEST_GOAL)

    @property
    def scope(self) -> list[str]:
        rows = re.findall(r"(?m)^\s*[-*]\s+`?([^`\n]+?)`?\s*$", section_of(self.program, "scope"))
        return rows[:20]

    @property
    def constraints(self) -> list[str]:
        rows = self.session.get("hard_constraints") or []
        texts = (row if isinstance(row, str) else constraint_text(row) for row in rows)
        return [text for text in texts if text]

    @property
    def stopping(self) -> dict[str, Any]:
        asked = self.session.get("termination_conditions") or {}
        names = {"primary_threshold": "threshold", "plateau_n": "plateau", "max_runs": "max_runs"}
        return {ours: asked[theirs] for theirs, ours in names.items() if asked.get(theirs) is not None}

    def plan(self, python: str, name: str | None = None, direction: str | None = None) -> dict[str, Any]:
        """The spec that goes on from its best. A metric that a person names takes the place of its own."""
        metric = {"name": name, "direction": direction} if name and direction else self.metric
        source = f"{FOLDER}/train.py"
        value = {
            "goal": self.goal or f"improve {metric['name']}",
            "subject": {"mutable": [source], "entry": source},
            "harness": {
                "argv": self.argv(python),
                "seconds": self.session.get("duration_seconds") or 300,
                "env": {"AR_EXPR_DIR": f"{{tree}}/{FOLDER}"},
            },
            "metric": metric,
            "constraints": self.constraints,
            "stopping": self.stopping,
            "scope": self.scope,
        }
        return {key: row for key, row in value.items() if row not in ([], {})}

    @property
    def notes(self) -> Iterator[str]:
        yield f"{FOLDER}/train.py is a copy of {self.best_source}; runs that were made there are not taken over"
        if self.session.get("metric_backend") == "custom":
            yield "its own code read the metric: if `check` finds no number, give --backend custom --code FILE"
        if not self.session:
            yield f"{self.folder} has no {SESSION}: the command is python, a run may take 300 s"


def is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def shell_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise FlagstoneError(f"cannot read the command {text!r}: {error}", hint=f"correct it in {SESSION}") from error


def is_own_file(path: Path) -> bool:
    """Whether a file is what its name says: a link could lead to any file of this machine."""
    return path.is_file() and not path.is_symlink()


def launcher_options(kind: str, runner: Mapping[str, Any]) -> Iterator[str]:
    count = {"accelerate": "--num_processes", "torchrun": "--nproc-per-node", "deepspeed": "--num_gpus"}[kind]
    if runner.get("config_file") and kind == "accelerate":
        yield from ("--config_file", str(runner["config_file"]))
    if runner.get("num_processes"):
        yield from (count, str(runner["num_processes"]))
    yield from map(str, runner.get("extra_args") or ())


def constraint_text(row: object) -> str:
    if not isinstance(row, dict) or not {"name", "op", "threshold"} <= row.keys():
        return ""
    return f"{row['name']} {row['op']} {row['threshold']}"


def section_of(text: str, title: str) -> str:
    """The lines below the first heading that has this word, up to the next heading."""
    hit = re.search(rf"(?ims)^#+[^\n]*\b{title}\b[^\n]*\n(.*?)(?=^#|\Z)", text)
    return hit[1] if hit else ""


def paragraph_after(text: str, title: str) -> str:
    return section_of(text, title).strip().partition("\n\n")[0]


def foreign_experiment(path: Path) -> ForeignExperiment | None:
    """The experiment of `ar` in a folder. Returns None if the folder has none."""
    is_one = path.is_dir() and any((path / name).is_file() for name in (SESSION, "program.md", "results.tsv"))
    return ForeignExperiment(path) if is_one else None
