"""A run with everything its gates are judged by: layout, stage table, settings, digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from flagstone.errors import FlagstoneError
from flagstone.layout import Project, Run
from flagstone.records import DigestCache, canonical, digest_bytes, digest_value, mark_of, read_record, write_atomic
from flagstone.settings import Settings, config_file, load_settings, pinned_table, table_file
from flagstone.stages import Stage, StageTable

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class OpenedRun:
    """One run, read once; what is asked of it later is answered from files on disk."""

    project: Project
    run: Run
    table: StageTable
    settings: Settings
    cache: DigestCache = field(compare=False)
    answers: list[dict[object, Any]] = field(default_factory=list, compare=False)  # of one moment, while there is one

    @contextmanager
    def one_moment(self) -> Iterator[None]:
        """Within this nothing is read twice: every answer is about the same state of the files."""
        if self.answers:
            yield
            return
        self.answers.append({})
        try:
            yield
        finally:
            self.answers.clear()

    def once(self, question: object, answer: Callable[[], Answer]) -> Answer:
        """The answer to a question about the files, read now or earlier in the same moment."""
        if not self.answers:
            return answer()
        known = self.answers[0]
        if question not in known:
            known[question] = answer()
        found: Answer = known[question]
        return found

    def forget(self) -> None:
        """We changed files: what was read before does not count any more."""
        for known in self.answers:
            known.clear()

    @cached_property
    def shared_prompt_digest(self) -> str:
        """The digest of what every prompt is made of besides its own template."""
        folder = self.run.pinned / "prompts"
        shared = [*folder.glob("_partials/*"), folder / "continuation.md.j2", folder / "repair.md.j2"]
        return digest_value(sorted((path.name, self.file_digest(path)) for path in shared))

    def stage_facts(self, stage: Stage) -> dict[str, object]:
        """What this stage is set to now, as plain values: a change of any of them is named to a person."""
        return self.once(("facts", stage.nr), lambda: self.facts_now(stage))

    def facts_now(self, stage: Stage) -> dict[str, object]:
        facts = self.settings.for_stage(stage.nr).facts()
        template = self.run.below("pinned", "prompts", f"{stage.key}.md.j2")
        facts["prompt"] = digest_value([self.file_digest(template), self.shared_prompt_digest])[:16]
        facts["brief"] = self.once("brief", lambda: self.file_digest(self.run.brief))[:16]
        if stage.shows_venue:
            facts["venue"] = self.settings.venue
        return facts

    def file_digest(self, path: Path) -> str:
        """The digest of a file; of nothing where there is none."""
        try:
            return self.cache.digest(path)
        except OSError:
            return digest_bytes(b"")


def open_run(
    project: Project, run: Run, overrides: Mapping[str, Any] | None = None, *, validate: bool = True
) -> OpenedRun:
    """Reads a run's table and settings; every problem is an error a person can act on."""
    if not run.settings.is_file():
        raise FlagstoneError(
            f"there is no run {run.name!r} below {run.root.parent}", hint="see the runs: flagstone status"
        )
    state = state_of(project, run, overrides) if validate else ""
    is_new = validate and not is_known(run, state)
    opened = OpenedRun(
        project=project,
        run=run,
        table=pinned_table(project, run, validate=is_new),
        settings=load_settings(project, run, overrides, validate=is_new),
        cache=DigestCache(run.digest_cache),
    )
    if is_new:
        remember(run, state)
    return opened


def state_of(project: Project, run: Run, overrides: Mapping[str, Any] | None) -> str:
    """One word for everything that settings are validated from."""
    files = [project.schemas / f"{name}.schema.yaml" for name in ("settings", "stages")]
    files += [config_file(project, run), table_file(project, run), run.settings]
    return digest_value([[str(path), mark_of(path)] for path in files] + [dict(overrides or {})])


def is_known(run: Run, state: str) -> bool:
    """Whether exactly this was found valid by the last call that looked."""
    return (read_record(memory_file(run)) or {}).get("state") == state


def remember(run: Run, state: str) -> None:
    """Best effort: without it the next call checks again."""
    try:
        write_atomic(memory_file(run), canonical({"state": state}), durable=False)
    except FlagstoneError:
        return


def memory_file(run: Run) -> Path:
    return run.digest_cache.with_name("valid.json")
