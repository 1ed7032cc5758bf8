"""Whether memory.md, handoff/ and manifest.json are in step with a run. `status.refresh` brings them there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flagstone.gates.judge import Verdict
from flagstone.gates.moment import Moment
from flagstone.layout import Run
from flagstone.records import canonical, digest_value, mark_of, read_record, write_atomic


def is_in_step(run: Run, moment: Moment, verdicts: Mapping[str, Verdict]) -> bool:
    """Whether nothing was decided or built since the last refresh, and nobody touched what it wrote."""
    return (read_record(memory_file(run)) or {}).get("of") == state_of(run, moment, verdicts)


def remember_refresh(run: Run, moment: Moment, verdicts: Mapping[str, Verdict]) -> None:
    write_atomic(memory_file(run), canonical({"of": state_of(run, moment, verdicts)}), durable=False)


def state_of(run: Run, moment: Moment, verdicts: Mapping[str, Verdict]) -> str:
    """One word for what the derived files are made from, and for the files themselves."""
    gates = [[nr, each.state, each.reason, each.files.digest] for nr, each in verdicts.items()]
    written = [mark_of(path) for path in (run.memory, run.root / "handoff", run.manifest)]
    return digest_value([moment.marks, gates, written])


def memory_file(run: Run) -> Path:
    return run.digest_cache.with_name("derived.json")
