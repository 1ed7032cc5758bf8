"""What a person is told of a gate: one line, with the document to read and the touch to make."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shlex import join, quote

from flagstone.gates.judge import State, Verdict
from flagstone.layout import Run
from flagstone.records import read_record
from flagstone.seals import Decision
from flagstone.stages import Stage
from flagstone.text import list_text

FOLDERS = "approved|feedback|redo|stages|drafts|history|workspace|index|logs|experiments|trials|pinned|bundle"
PATH = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w.*/-]*[\w*/]")  # of a file of the run, as records name it
PROFILE_OPTIONS = ("--workflow-profile", "--profile")


def run_command(run: Run) -> str:
    """The command that continues a run. It names the profile if the last call of Snakemake had one."""
    words = (read_record(run.last_profile) or {}).get("words")
    profile = profile_words([str(word) for word in words]) if isinstance(words, list) else ()
    if profile:
        return f"snakemake {join(profile)} --config run={run.name}"
    return f"flagstone run {run.name}"


def profile_words(argv: Sequence[str]) -> tuple[str, ...]:
    """The profiles in a command line of Snakemake, each with its option."""
    words = [part for word in argv for part in (word.split("=", 1) if word.startswith("--") else [word])]
    pairs = pairwise(words)
    return tuple(word for option, value in pairs if option in PROFILE_OPTIONS for word in (option, value))


@dataclass(frozen=True)
class Messages:
    """The messages about one run. They write each path as a person in the folder `here` would type it."""

    run: Run
    here: Path

    def path(self, target: Path) -> str:
        try:
            relative = os.path.relpath(target, self.here)
        except ValueError:
            return str(target)
        return relative if not relative.startswith("../..") else str(target)

    def with_paths(self, text: str) -> str:
        """A text with the paths in it, which are relative to the run, as a person here would type them."""
        return PATH.sub(lambda found: self.path(self.run.root / found[0]), text)

    def of_gate(self, verdict: Verdict) -> str:
        """What a closed gate waits for, in one line."""
        stage, state = verdict.stage, verdict.state
        name = f"stage {stage.nr} {stage.name}"
        read = f"read {self.path(self.run.summary(stage.key))}"
        touch = f"touch {quote(self.path(self.run.flag(stage.nr)))}"
        if state in (State.WAITING, State.STALE, State.REVOKED):
            is_changed = state is State.STALE and not verdict.reason.startswith("waits")
            reason = self.with_paths(verdict.reason)
            cure = self.cure_of_missing(verdict) or f"{read}, then: {touch}"
            return f"{name} {'is stale, it ' if is_changed else ''}{reason}: {cure}"
        if state is State.DUE:
            command = run_command(self.run)
            again = command if command.startswith("snakemake") else "snakemake"
            return f"{name} {self.with_paths(verdict.words)}: run {again} once more"
        return f"{name} {self.with_paths(verdict.reason)}"

    def cure_of_missing(self, verdict: Verdict) -> str:
        """How to bring back the files without which no touch approves a stage; '' if none is missing."""
        missing = verdict.content.missing_files if verdict.content else []
        if not missing:
            return ""
        nr, version = verdict.stage.nr, str(verdict.files.offer.get("version", ""))[:4]  # as it was when it was built
        files = self.with_paths(", ".join(missing[:3]))
        again = f"or do the stage again: flagstone redo {nr} --run {self.run.name}"
        return f"bring back {files}: flagstone restore {nr} {version} --run {self.run.name}, {again}"

    def approved_by_policy(self, stage: Stage, decision: Decision) -> str:
        """Says that a rule approved a stage, not a person: which rule, and in whose name."""
        rule = "--yes" if decision.policy == "yes" else f"approval: {decision.policy}"
        return f"stage {stage.nr} {stage.name}: approved by policy ({rule}, {decision.who})"

    def done_text(self, upto: str = "") -> str:
        """That nothing is left to do, or nothing up to where a person asked to stop."""
        stages = self.path(self.run.root / "stages")
        if upto:
            return f"run {self.run.name} has reached stage {upto}: everything up to it is approved; see {stages}"
        return f"run {self.run.name} is done: every stage is approved; the documents are in {stages}"

    def of_bundle(self) -> list[str]:
        """Which bundle was packed when every stage was approved, or why none was. Nothing if none was due."""
        packed = read_record(self.run.packed) or {}
        if "problem" in packed:
            return [f"note: {packed['problem']}; {packed['hint']}"]
        if "digest" not in packed:
            return []
        bundle = self.path(self.run.bundle)
        lines = [f"packed {bundle}, digest {packed['digest']}"]
        if failed := packed.get("failed"):
            lines.append(f"note: it does not hold ({list_text(failed)}); flagstone verify {bundle} says what and why")
        return lines

    def abort_text(self) -> str:
        """Why nothing runs, and how to undo it."""
        try:
            with open(self.run.aborted, encoding="utf-8", errors="replace") as words:
                why = " ".join(words.read(2000).split())
        except OSError:
            why = ""
        reason = f": {why}" if why else ""
        undo = f"flagstone resume {self.run.name}, or rm {quote(self.path(self.run.aborted))}"
        return f"run {self.run.name} is aborted{reason} (to continue: {undo})"


def say(line: str) -> None:
    """Writes a line with its time to the terminal, in the form of the lines of a job."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()
