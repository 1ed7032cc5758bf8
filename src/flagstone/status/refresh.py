"""Refreshes what is derived from a run, in one place: memory.md, handoff/NN.md, manifest.json, report.html."""

from __future__ import annotations

from flagstone.gates import RunConfig, judge_gates, read_moment, remember_refresh
from flagstone.status.handoff import write_handoffs
from flagstone.status.manifest import write_manifest
from flagstone.status.memory import write_memory
from flagstone.status.model import run_status
from flagstone.status.report import write_report


def refresh_derived(opened: RunConfig) -> None:
    """To be called after every decision and every build, whoever made it."""
    moment = read_moment(opened)
    verdicts = judge_gates(moment)
    write_memory(opened.run, verdicts)
    write_handoffs(opened.run, verdicts)
    status = run_status(opened, opened.run.root, moment)
    write_manifest(opened, moment, status)
    write_report(opened, moment, status)
    remember_refresh(opened.run, moment)
    opened.cache.save()
