"""What is derived from a run, brought in step with it in one place: memory.md, handoff/NN.md, manifest.json."""

from __future__ import annotations

from flagstone.gates import OpenedRun, judge_gates, read_moment, remember_refresh
from flagstone.status.handoff import write_handoffs
from flagstone.status.manifest import write_manifest
from flagstone.status.memory import write_memory


def refresh_derived(opened: OpenedRun) -> None:
    """To be called after every decision and every build, whoever made it."""
    moment = read_moment(opened)
    verdicts = judge_gates(moment)
    write_memory(opened.run, verdicts)
    write_handoffs(opened.run, verdicts)
    write_manifest(opened, moment)
    remember_refresh(opened.run, moment)
    opened.cache.save()
