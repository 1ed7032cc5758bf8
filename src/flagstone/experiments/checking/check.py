"""Runs the unedited files under the real harness, in a folder of its own, and says what that proves."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from flagstone.errors import Interrupted
from flagstone.experiments.candidates import make_empty_folder, seed_for
from flagstone.experiments.checking import check_rows
from flagstone.experiments.checking.check_rows import CheckRow
from flagstone.experiments.checking.marks import NOT_READABLE, marked_paths, marked_sources
from flagstone.experiments.checking.own_command import OwnCommand, own_number
from flagstone.experiments.checking.project_files import changed_files, marks_of_project
from flagstone.experiments.engine import OpenedExperiment, harness_of
from flagstone.experiments.measuring import Harness, Measurement, Order, denied_paths, refuse_if_unclean, tail_text
from flagstone.locks import hold
from flagstone.plans import ARGUMENTS_FILE, Home, RunFolder, command_of
from flagstone.processes import Interruption

LONGEST_S = 120.0
MOST_TEXTS = 8  # text files that are tried, one short run each
PLAIN, GLOBS = "plain", set("*?[")


@dataclass(frozen=True)
class CheckRequest:
    """What a check is asked for. `rows` is how many of its rows are wanted, from the first."""

    seconds: float | None = None
    expected: str = ""
    own: tuple[str, ...] = ()
    rows: int = 8


@dataclass(frozen=True)
class ExperimentCheck:
    """The result of a check. `tail` is the end of the log of a run that crashed."""

    rows: tuple[CheckRow, ...]
    is_crashed: bool = False
    tail: str = ""
    proposal: Mapping[str, object] = field(default_factory=dict)

    @property
    def first_failure(self) -> CheckRow | None:
        return next((row for row in self.rows if row.mark == "✗"), None)

    @property
    def exit(self) -> int:
        if self.is_crashed:
            return 3
        return 2 if self.first_failure else 0


@contextmanager
def check_experiment(opened: OpenedExperiment, say: Callable[[str], None]) -> Iterator[Checker]:
    """The check of an experiment that nobody runs meanwhile. Its folder is emptied first."""
    with hold(opened.home.lock, f"experiment {opened.home.name}"), Interruption() as interruption:
        refuse_if_unclean(opened.home)
        own = Home(opened.home.root / "check", opened.home.base)
        make_empty_folder(own.root)
        weights = opened.home.root / "parent_ckpt"
        if weights.exists():
            os.symlink(weights, own.root / weights.name)
        yield Checker(opened, replace(harness_of(opened, interruption, say), home=own))


@dataclass(frozen=True)
class Checker:
    """One check of an experiment in progress. Its `harness` runs in the folder of the check."""

    opened: OpenedExperiment
    harness: Harness
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def check(self, asked: CheckRequest) -> ExperimentCheck:
        """Runs what is needed for the rows that are asked for."""
        limit_s = asked.seconds or min(self.opened.spec.harness.seconds, LONGEST_S)
        spec = replace(self.opened.spec, harness=replace(self.opened.spec.harness, seconds=limit_s))
        return replace(self, harness=replace(self.harness, spec=spec)).rows_of(asked, limit_s)

    def rows_of(self, asked: CheckRequest, limit_s: float) -> ExperimentCheck:
        spec, root = self.opened.spec, self.opened.spec.subject.root
        before = marks_of_project(root, self.opened.home.root) if asked.rows > 3 else {}
        marked, used = self.first_run()
        log = self.log_of(marked)
        denied = denied_paths(log, root)
        cure = check_rows.cure_of_crash(marked, self.own_python, spec.subject.command_arguments is not None)
        first = [check_rows.command_row(marked, self.command_words, denied, cure)]
        if marked.status == "crash":
            more = [check_rows.quiet_row([], denied)] if denied else []
            return ExperimentCheck((*first, *more), is_crashed=True, tail=tail_text(self.folder(marked.part).log, 12))
        used = {**used, **self.texts_in_use(marked)}
        first += [check_rows.reach_row(used, self.plain_paths), check_rows.number_row(marked, spec)]
        if asked.rows <= 3:
            return ExperimentCheck(tuple(first))
        again = command_of(self.opened.home, "check")
        first += [
            check_rows.checkpoint_row(marked, spec, self.folder(marked.part)),
            check_rows.limit_row(marked, spec, limit_s, again),
        ]
        seeds = self.seed_runs(marked)
        same = self.same_row(seeds, asked)
        changed = changed_files(before, marks_of_project(root, self.opened.home.root))
        first += [check_rows.seed_row(seeds), check_rows.quiet_row(changed, denied), same]
        return ExperimentCheck(tuple(first), proposal=check_rows.seed_proposal(seeds))

    @property
    def command_words(self) -> str:
        program = self.opened.start.get("program")
        return program or self.opened.spec.harness.argv[0]

    @property
    def own_python(self) -> str:
        """The interpreter of the project's environment, if the command starts another one; relative to the project."""
        root = self.opened.spec.subject.root
        found = (name for name in (".venv", "venv", "env") if (root / name / "bin" / "python").is_file())
        name = next(found, "")
        return f"{name}/bin/python" if name and not self.command_words.startswith((f"{root / name}/", name)) else ""

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """Every file that may change."""
        return self.opened.subject.files(self.opened.base.tree)

    @cached_property
    def files_with_marks(self) -> Mapping[str, bytes]:
        return marked_sources(self.files, self.token)

    @property
    def plain_paths(self) -> frozenset[str]:
        """The files that `mutable` names one by one."""
        return frozenset(word for word in self.opened.spec.subject.mutable if not GLOBS & set(word))

    def first_run(self) -> tuple[Measurement, dict[str, bool | None]]:
        """The run with all marks; without them if they are what it crashes of. Which marked files it used."""
        run = self.run("marked", self.files_with_marks)
        if run.status == "crash" and self.files_with_marks:
            plain = self.run(PLAIN, {})
            if plain.status != "crash":
                return plain, dict.fromkeys(self.files_with_marks, None)
            return plain, {}
        seen = marked_paths(self.log_of(run), self.token, self.files_with_marks)
        open_or_not = None if run.status == "timeout" else False
        return run, {path: True if path in seen else open_or_not for path in self.files_with_marks}

    def texts_in_use(self, run: Measurement) -> dict[str, bool | None]:
        """Whether the command uses each file that cannot be marked: it is replaced by text that no parser takes."""
        texts = [path for path in self.files if path not in self.files_with_marks and path != ARGUMENTS_FILE]
        found: dict[str, bool | None] = dict.fromkeys(texts, None)
        if ARGUMENTS_FILE in self.files:  # its values are words of the command
            found[ARGUMENTS_FILE] = True
        for number, path in enumerate(texts[:MOST_TEXTS]):
            token = f"{self.token}{number}"
            spoilt = self.run(f"text-{number}", {path: NOT_READABLE.format(token=token).encode()})
            is_other = (spoilt.status, spoilt.value) != (run.status, run.value)
            if token in self.log_of(spoilt) or is_other:
                found[path] = True
            elif spoilt.status != "timeout":
                found[path] = False
        return found

    def seed_runs(self, run: Measurement) -> Sequence[Measurement]:
        """The run, and further ones on the same and another seed where they are short."""
        if run.value is None or run.wall_s > check_rows.SHORT_S:
            return (run,)
        return (run, self.run("same-seed", {}), self.run("other-seed", {}, repeat=1))

    def same_row(self, runs: Sequence[Measurement], asked: CheckRequest) -> CheckRow:
        if not asked.own:
            return check_rows.same_row(runs, asked.expected, None, "")
        log = self.harness.home.root / "own.log"
        self.harness.say("check: running the project's own command")
        copy, seed = self.harness.home.root / "trees" / "own", seed_for(self.opened.spec.seed, 0)
        self.opened.subject.lay_out(self.opened.base.tree, copy)
        argv = tuple(word.replace("{seed}", str(seed)) for word in asked.own)
        own, problem = own_number(self.harness.spec, OwnCommand(argv, copy, seed), log, self.harness.interruption)
        return check_rows.same_row(runs, asked.expected, own, problem or "another number")

    def run(self, name: str, edits: Mapping[str, bytes], *, repeat: int = 0) -> Measurement:
        """One run of the unedited files with a few of them replaced. Nothing of it is counted."""
        self.harness.say(f"check: running the command ({name})")
        order = Order(self.folder(name), self.opened.base.tree, "first", seed_for(self.opened.spec.seed, repeat))
        order.run.root.mkdir(parents=True)
        tree = self.harness.home.root / "trees" / name
        self.opened.subject.lay_out(order.tree, tree)
        for path, content in edits.items():
            (tree / path).write_bytes(content)
        found = self.harness.run_in(tree, order)
        if found.status == "interrupted":
            raise Interrupted("the check was interrupted", hint=f"again: {command_of(self.opened.home, 'check')}")
        return replace(found, part=name)

    def folder(self, name: str) -> RunFolder:
        return self.harness.home.run(name)

    def log_of(self, run: Measurement) -> str:
        try:
            return self.folder(run.part).log.read_text("utf-8", "replace")
        except OSError:
            return ""
