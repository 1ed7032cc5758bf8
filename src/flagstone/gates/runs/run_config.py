"""What a run is made of and set to: its layout, stage table, settings and remembered digests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.layout import Project, Run
from flagstone.records import DigestCache, canonical, digest_bytes, digest_value, mark_of, read_record, write_atomic
from flagstone.settings import GONE_KEYS, Settings, config_file, load_settings, pinned_table, table_file
from flagstone.stages import StageTable


@dataclass(frozen=True)
class RunConfig:
    """One run with its stage table and settings, as they were when it was opened."""

    project: Project
    run: Run
    table: StageTable
    settings: Settings
    cache: DigestCache = field(compare=False)

    @cached_property
    def shared_prompt_digest(self) -> str:
        """The digest of what every prompt is made of besides its own template."""
        folder = self.run.pinned / "prompts"
        shared = [*folder.glob("_partials/*"), folder / "continuation.md.j2", folder / "repair.md.j2"]
        return digest_value(sorted((path.name, self.file_digest(path)) for path in shared))

    def settings_facts(self) -> dict[str, dict[str, object]]:
        """What each stage is set to now, as plain values: a change of any of them is named to a person."""
        brief = self.file_digest(self.run.brief)[:16]
        found = {}
        for stage in self.table:
            template = self.run.below("pinned", "prompts", f"{stage.key}.md.j2")
            facts = self.settings.for_stage(stage.nr).facts()
            facts["prompt"] = digest_value([self.file_digest(template), self.shared_prompt_digest])[:16]
            facts["brief"] = brief
            if stage.shows_venue:
                facts["venue"] = self.settings.venue
            found[stage.nr] = facts
        return found

    def file_digest(self, path: Path) -> str:
        """The digest of a file, or that of an empty file if it is not there."""
        try:
            return self.cache.digest(path)
        except OSError:
            return digest_bytes(b"")


def open_run(
    project: Project, run: Run, overrides: Mapping[str, Any] | None = None, *, validate: bool = True
) -> RunConfig:
    """Reads a run's table and settings; every problem is an error a person can act on."""
    if not run.settings.is_file():
        raise FlagstoneError(
            f"there is no run {run.name!r} below {run.root.parent}", hint="see the runs: flagstone status"
        )
    state = state_of(project, run, overrides) if validate else ""
    is_new = validate and not is_noted(run, "valid", state)
    opened = RunConfig(
        project=project,
        run=run,
        table=pinned_table(project, run, validate=is_new),
        settings=load_settings(project, run, overrides, validate=is_new),
        cache=DigestCache(run.digest_cache),
    )
    if is_new:
        note(run, "valid", state)
    return opened


def check_run(project: Project, run: Run) -> None:
    """Raises an error if a call of Snakemake would refuse the run's settings or stage table. Writes nothing."""
    if not is_noted(run, "valid", state_of(project, run, None)):
        pinned_table(project, run, validate=True)
        load_settings(project, run, validate=True)


def state_of(project: Project, run: Run, overrides: Mapping[str, Any] | None) -> str:
    """One word for everything that settings are validated from."""
    files = [project.schemas / f"{name}.schema.yaml" for name in ("settings", "stages")]
    files += [config_file(project, run), table_file(project, run), run.settings]
    return digest_value([[str(path), mark_of(path)] for path in files] + [dict(overrides or {})])


def is_noted(run: Run, what: str, word: str) -> bool:
    """Whether exactly this was noted by the last call that looked."""
    return (read_record(note_file(run, what)) or {}).get("of") == word


def note(run: Run, what: str, word: str) -> None:
    """Best effort: without it the next call does the same work again."""
    with suppress(FlagstoneError):
        write_atomic(note_file(run, what), canonical({"of": word}), durable=False)


def note_file(run: Run, what: str) -> Path:
    return run.digest_cache.with_name(f"{what}.json")


def name_dropped_keys(opened: RunConfig) -> list[str]:
    """The keys of an older run.yaml that nothing reads any more, each named once in the life of a run."""
    record = note_file(opened.run, "gone-keys")
    named = read_record(record) or {}
    new = {key: why for key, why in GONE_KEYS.items() if key in opened.settings.merged and key not in named}
    if new:
        write_atomic(record, canonical({**named, **new}), durable=False)
    return [f"run.yaml sets {key}, which is not read any more: {why}" for key, why in new.items()]
