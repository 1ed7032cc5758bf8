"""workspace/writing/manifest.json: what the paper of a run may use, listed for its agent."""

from __future__ import annotations

import json
from collections.abc import Iterator

from flagstone.gates import RunConfig
from flagstone.layout import INDEX_KINDS, Run
from flagstone.paper.citations import read_requests
from flagstone.plans import trial_plans
from flagstone.records import read_record, write_if_changed
from flagstone.stages import Stage

NAME = "manifest.json"


def write_manifest(opened: RunConfig, stage: Stage) -> None:
    """Derived from what the earlier stages offer; the same files give the same bytes."""
    run = opened.run
    summaries = (run.summary(up.key) for up in opened.table.ancestors(stage.nr))
    record = {
        **{kind: sorted(indexed_paths(run, kind)) for kind in INDEX_KINDS},
        "summaries": [run.relative(path) for path in summaries if path.is_file()],
        "verdicts": list(verdicts(run)),
        "references": sorted(read_requests(run).by_key),  # whether one may be cited, the build says
    }
    write_if_changed(run.writing / NAME, f"{json.dumps(record, indent=1, ensure_ascii=False)}\n".encode())


def indexed_paths(run: Run, kind: str) -> Iterator[str]:
    rows = (read_record(run.index(kind)) or {}).get("entries")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and not row.get("unreadable"):
            yield str(row.get("path"))


def verdicts(run: Run) -> Iterator[dict[str, str]]:
    """The verdict of each trial that has one."""
    for plan in trial_plans(run):
        found = read_record(plan.folder.verdict)
        if found:
            yield {"path": run.relative(plan.folder.verdict), "outcome": str(found.get("outcome"))}
